import CApusPlugin

/// A C function for each place among a plugin's components.
///
/// The ABI does not say which component `create` is called for, so each needs one of its own, and
/// a C function cannot carry a number along.
enum CreateThunks {
    typealias Create =
        @convention(c) (
            UnsafePointer<apus_args>?, UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
            UnsafeMutablePointer<apus_error>?
        ) -> Int32

    // SAFETY: the pointers are handed on as they are.
    static let all: [Create] = [
        { create(0, $0, $1, $2) },
        { create(1, $0, $1, $2) },
        { create(2, $0, $1, $2) },
        { create(3, $0, $1, $2) },
        { create(4, $0, $1, $2) },
        { create(5, $0, $1, $2) },
        { create(6, $0, $1, $2) },
        { create(7, $0, $1, $2) },
        { create(8, $0, $1, $2) },
        { create(9, $0, $1, $2) },
        { create(10, $0, $1, $2) },
        { create(11, $0, $1, $2) },
        { create(12, $0, $1, $2) },
        { create(13, $0, $1, $2) },
        { create(14, $0, $1, $2) },
        { create(15, $0, $1, $2) },
    ]
    /// The one for a component that a test has described.
    static let underTest: Create = {
        OperatorThunks.create(PluginTable.underTest, $0, $1, $2)
    }

    private static func create(
        _ index: Int,
        _ arguments: UnsafePointer<apus_args>?,
        _ object: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
        _ slot: UnsafeMutablePointer<apus_error>?
    ) -> Int32 {
        let rows = PluginTable.published
        return OperatorThunks.create(
            index < rows.count ? rows[index] : nil,
            arguments,
            object,
            slot
        )
    }
}
