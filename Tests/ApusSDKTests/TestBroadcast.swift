import ApusState
import CApusPlugin

/// The real broadcast state of the host, for a ``TestHost``.
final class TestBroadcast {
    let functions = UnsafeMutablePointer<apus_broadcast_api>.allocate(capacity: 1)
    private let state: BroadcastState

    init(count: Int) {
        state = BroadcastState(names: (0..<count).map { "map-\($0)" })
        functions.initialize(to: BroadcastInterface.makeFunctions())
    }

    /// Whether a callback runs that may write.
    var isWritable: Bool {
        get { state.isWritable }
        set { state.isWritable = newValue }
    }

    /// What a context gets for its `broadcast_private`.
    var pointer: UnsafeMutableRawPointer { Unmanaged.passUnretained(state).toOpaque() }

    deinit { functions.deallocate() }
}
