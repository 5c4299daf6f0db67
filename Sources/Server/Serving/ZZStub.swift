import ArgumentParser
import Broker
struct ReplayCommand: AsyncParsableCommand {}
enum UserAdding { static func add(_ u: ControlRequest.NewUser, to: DataFolder, _ s: Settings) async throws -> AddedUser { fatalError() } }
