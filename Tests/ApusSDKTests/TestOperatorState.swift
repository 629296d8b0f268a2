import ApusState
import CApusPlugin

/// The real operator state of the host, for a ``TestHost``.
final class TestOperatorState {
    let functions = UnsafeMutablePointer<apus_operator_state_api>.allocate(capacity: 1)
    private let lists: OperatorStateLists

    /// Makes lists that hold these items; the rest of them are empty.
    init(count: Int, items: [OperatorStateItems]) {
        lists = OperatorStateLists(names: (0..<count).map { "list-\($0)" })
        lists.restore((0..<count).map { $0 < items.count ? items[$0] : [] })
        functions.initialize(to: OperatorStateInterface.makeFunctions())
    }

    /// What a context gets for its `operator_state_private`.
    var pointer: UnsafeMutableRawPointer { Unmanaged.passUnretained(lists).toOpaque() }

    /// What the lists hold, as a checkpoint has it.
    func items() -> [OperatorStateItems] {
        lists.beginSnapshot()
        lists.continueSnapshot { true }
        let bytes = lists.takeSnapshot().map { OperatorStateFile.encode([$0]) }
        return bytes.flatMap(OperatorStateFile.decode)?.first ?? []
    }

    deinit { functions.deallocate() }
}
