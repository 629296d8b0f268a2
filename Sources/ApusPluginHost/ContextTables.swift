import ApusState
import CApusPlugin

/// The tables of functions that hang on every context; never freed, plugins may keep pointers to
/// them.
enum ContextTables {
    // `nonisolated(unsafe)` because the tables are written once, here, and only read after that.

    nonisolated(unsafe) static let state = makeTable(StateInterface.makeStateFunctions())
    nonisolated(unsafe) static let timers = makeTable(StateInterface.makeTimerFunctions())
    nonisolated(unsafe) static let broadcast = makeTable(BroadcastInterface.makeFunctions())
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
