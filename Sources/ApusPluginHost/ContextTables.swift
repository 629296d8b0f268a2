import ApusState
import CApusPlugin

/// The tables of functions that hang on every context; never freed, plugins may keep pointers to
/// them.
enum ContextTables {
    // Each is nonisolated because it is written once, here, and only read after that.

    // Unsafe, because nobody else checks that; see above.
    nonisolated(unsafe) static let state = makeTable(StateInterface.makeStateFunctions())
    // Unsafe, because nobody else checks that; see above.
    nonisolated(unsafe) static let timers = makeTable(StateInterface.makeTimerFunctions())
    // Unsafe, because nobody else checks that; see above.
    nonisolated(unsafe) static let broadcast = makeTable(BroadcastInterface.makeFunctions())
    // Unsafe, because nobody else checks that; see above.
    nonisolated(unsafe) static let operatorState = makeTable(
        OperatorStateInterface.makeFunctions()
    )

    private static func makeTable<Table>(_ functions: Table) -> UnsafePointer<Table> {
        // SAFETY: never freed.
        let table = UnsafeMutablePointer<Table>.allocate(capacity: 1)
        table.initialize(to: functions)
        return UnsafePointer(table)
    }
}
