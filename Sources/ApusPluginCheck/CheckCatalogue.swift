/// All checks, in the order of their ids.
enum CheckCatalogue {
    static let all: [Check] =
        FileChecks.all + DescriptionChecks.all + LifecycleChecks.all + DataChecks.all
        + StateChecks.all + ProcessChecks.all + SpeedChecks.all + FuzzChecks.all

    /// A check by its id.
    static func check(_ id: String) -> Check? { all.first { $0.id == id } }
}
