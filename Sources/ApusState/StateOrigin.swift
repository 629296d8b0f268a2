/// The rows of an older version that another state has taken over and not moved yet.
///
/// The task thread's.
final class StateOrigin {
    /// Where the rows are.
    let state: KeyedState
    /// What the new version makes of them.
    let migration: any RowMigration
    /// How far the sweep is.
    var sweep = Sweep.rows(0)

    /// How far the sweep of an origin is.
    enum Sweep: Equatable {
        /// At the row of this number in memory.
        case rows(Int)
        /// At this place of the spill log.
        case spill(RowSpill.Position)
        /// At this key group of the database, behind this key of it.
        case database(group: Int, after: [UInt8]?)
        /// Everything was moved.
        case done
    }

    init(_ state: KeyedState, _ migration: any RowMigration) {
        self.state = state
        self.migration = migration
    }
}
