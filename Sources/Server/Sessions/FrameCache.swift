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
    /// The messages of one conversation or room and what happened to messages, in order.
    struct Group {
        var indices: [Int]
        fileprivate var senders: Set<AccountID>
        /// Whether all are messages, which everybody gets.
        var isPlain = true
        /// Whether some are.
        var hasMessages = false
        fileprivate var frames: [MessageShape: Frames] = [:]
    }

    /// The frames of a group's messages, one behind the other.
    fileprivate struct Frames {
        var bytes: ByteBuffer
        var ends: [Int]
    }

    let batch: EventBatch
    private let services: SessionServices
    private var directory: AccountDirectory { services.directory }
    private(set) var groups: [Group] = []
    /// Redactions by their index, as they are shown.
    private var redactions: [Int: EventHeader] = [:]
    private var groupOfStream: [StreamID: Int] = [:]
    /// Rooms that were asked about, whether reading shows in them.
    private var receipts: [RoomID: Bool] = [:]
    private var scratch = ByteBuffer()

    init(batch: EventBatch, services: SessionServices) {
        self.batch = batch
        self.services = services
    }

    /// Sorts the events at `range` by conversation and room.
    mutating func group(_ range: Range<Int>) {
        groups.removeAll(keepingCapacity: true)
        groupOfStream.removeAll(keepingCapacity: true)
        for index in range {
            var header = batch.entries[index].header
            switch header.type {
            case .messageSent, .messageEdited, .messageDeleted: break
            case .payloadRedacted:
                guard let shown = services.shownRedaction(header) else { continue }
                redactions[index] = shown
                header = shown
            case .messagesRead:
                // In a large room everybody's reading would be a message to everybody.
                if header.concernsRoom, !showsReceipts(of: header.stream) { continue }
            default: continue
            }
            let isMessage = header.type == .messageSent
            let group: Int
            if let known = groupOfStream[header.stream] {
                group = known
                groups[group].indices.append(index)
                groups[group].senders.insert(header.actor)
            } else {
                group = groups.count
                groupOfStream[header.stream] = group
                groups.append(Group(indices: [index], senders: [header.actor]))
            }
            if isMessage { groups[group].hasMessages = true } else { groups[group].isPlain = false }
        }
    }

    private mutating func showsReceipts(of room: RoomID) -> Bool {
        if let known = receipts[room] { return known }
        let shows = services.showsReceipts(of: room)
        receipts[room] = shows
        return shows
    }

    /// The header of a group's first event.
    func header(ofGroup group: Int) -> EventHeader { header(at: groups[group].indices[0]) }

    /// The header of the event at `index`, as it is shown.
    func header(at index: Int) -> EventHeader {
        let header = batch.entries[index].header
        return header.type == .payloadRedacted ? redactions[index] ?? header : header
    }

    func senders(ofGroup group: Int) -> Set<AccountID> { groups[group].senders }

    func offset(at index: Int) -> Offset { batch.first + Offset(index) }

    /// All frames of a plain group: the same bytes for everybody.
    mutating func shared(group: Int, shape: MessageShape) -> ByteBuffer { frames(group, shape).bytes }

    /// The frame of the `position`-th event of a group.
    mutating func frame(group: Int, position: Int, shape: MessageShape) -> ByteBuffer {
        let frames = frames(group, shape)
        let start = position == 0 ? 0 : frames.ends[position - 1]
        return frames.bytes.getSlice(at: frames.bytes.readerIndex + start, length: frames.ends[position] - start)
            ?? ByteBuffer()
    }

    /// The frame that the sender's own session sockets get: with the id that the client gave the message.
    mutating func frameForSender(at index: Int) -> ByteBuffer {
        var bytes = ByteBuffer()
        let header = header(at: index)
        batch.withPayload(at: index) { payload in
            MessageFrame.append(
                header,
                at: offset(at: index),
                payload,
                isRedacted: false,
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
            let header = header(at: index)
            batch.withPayload(at: index) { payload in
                MessageFrame.append(
                    header,
                    at: offset(at: index),
                    payload,
                    isRedacted: false,
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
