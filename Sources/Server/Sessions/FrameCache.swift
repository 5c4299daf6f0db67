import Broker
import NIOCore

/// Which JSON a socket gets for a message.
enum MessageShape {
    /// The envelope with everything.
    case session
    /// A conversation socket's.
    case conversation
    /// A room socket's.
    case room
}

/// The frames of a batch, each made once per shape however many sockets get it.
struct FrameCache {
    /// The messages of one conversation or room, in order.
    struct Group {
        var indices: [Int]
        fileprivate var senders: Set<AccountID>
        fileprivate var frames: [MessageShape: Frames] = [:]
    }

    /// The frames of a group's messages, one behind the other.
    fileprivate struct Frames {
        var bytes: ByteBuffer
        var ends: [Int]
    }

    let batch: EventBatch
    private let directory: AccountDirectory
    private(set) var groups: [Group] = []
    private var groupOfStream: [StreamID: Int] = [:]
    private var scratch = ByteBuffer()

    init(batch: EventBatch, directory: AccountDirectory) {
        self.batch = batch
        self.directory = directory
    }

    /// Sorts the messages at `range` by conversation and room.
    mutating func group(_ range: Range<Int>) {
        groups.removeAll(keepingCapacity: true)
        groupOfStream.removeAll(keepingCapacity: true)
        for index in range {
            let header = batch.entries[index].header
            guard header.type == .messageSent else { continue }
            if let group = groupOfStream[header.stream] {
                groups[group].indices.append(index)
                groups[group].senders.insert(header.actor)
            } else {
                groupOfStream[header.stream] = groups.count
                groups.append(Group(indices: [index], senders: [header.actor]))
            }
        }
    }

    /// The header of a group's first message.
    func header(ofGroup group: Int) -> EventHeader { batch.entries[groups[group].indices[0]].header }

    func senders(ofGroup group: Int) -> Set<AccountID> { groups[group].senders }

    func offset(at index: Int) -> Offset { batch.first + Offset(index) }

    /// All frames of a group: the same bytes for everybody.
    mutating func shared(group: Int, shape: MessageShape) -> ByteBuffer { frames(group, shape).bytes }

    /// The frame of the `position`-th message of a group.
    mutating func frame(group: Int, position: Int, shape: MessageShape) -> ByteBuffer {
        let frames = frames(group, shape)
        let start = position == 0 ? 0 : frames.ends[position - 1]
        return frames.bytes.getSlice(at: frames.bytes.readerIndex + start, length: frames.ends[position] - start)
            ?? ByteBuffer()
    }

    /// The frame that the sender's own session sockets get: with the id that the client gave the message.
    mutating func frameForSender(at index: Int) -> ByteBuffer {
        var bytes = ByteBuffer()
        let header = batch.entries[index].header
        batch.withPayload(at: index) { payload in
            MessageFrame.append(
                header,
                at: offset(at: index),
                payload,
                shape: .session,
                showsID: true,
                directory,
                &scratch,
                to: &bytes
            )
        }
        return bytes
    }

    private mutating func frames(_ group: Int, _ shape: MessageShape) -> Frames {
        if let made = groups[group].frames[shape] { return made }
        var made = Frames(bytes: ByteBuffer(), ends: [])
        for index in groups[group].indices {
            let header = batch.entries[index].header
            batch.withPayload(at: index) { payload in
                MessageFrame.append(
                    header,
                    at: offset(at: index),
                    payload,
                    shape: shape,
                    showsID: false,
                    directory,
                    &scratch,
                    to: &made.bytes
                )
            }
            made.ends.append(made.bytes.readableBytes)
        }
        groups[group].frames[shape] = made
        return made
    }
}

/// The frame of one message.
enum MessageFrame {
    /// Appends the frame to `bytes`.
    ///
    /// - Parameters:
    ///   - showsID: Whether the client's own message id is shown, as only its sender may see it.
    ///   - scratch: Used for the JSON; its content is lost.
    static func append(
        _ header: EventHeader,
        at offset: Offset,
        _ payload: Span<UInt8>,
        shape: MessageShape,
        showsID: Bool,
        _ directory: AccountDirectory,
        _ scratch: inout ByteBuffer,
        to bytes: inout ByteBuffer
    ) {
        let content = MessagePayload.content(of: payload)
        let message = Outbound.Message(
            offset: offset,
            milliseconds: header.milliseconds,
            sender: directory.escapedName(of: header.actor),
            recipient: header.concernsRoom ? [] : directory.escapedName(of: header.subject),
            room: header.concernsRoom ? header.subject : nil
        )
        scratch.clear()
        switch shape {
        case .conversation: Outbound.writeConversationMessage(message, content: content, to: &scratch)
        case .room: Outbound.writeRoomMessage(message, content: content, to: &scratch)
        case .session:
            let id = showsID ? MessagePayload.id(of: payload) : payload.extracting(0..<0)
            Outbound.writeSessionMessage(message, content: content, id: id, to: &scratch)
        }
        bytes.writeTextFrame(scratch)
    }
}
