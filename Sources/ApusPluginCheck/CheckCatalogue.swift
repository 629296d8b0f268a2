/// All checks, in the order of their ids.
enum CheckCatalogue {
    static let all: [Check] = {
        let checks =
            FileChecks.all + LoadChecks.all + DescriptionChecks.all + LifecycleChecks.all
            + DataChecks.all
            + StateChecks.all + AsyncChecks.all + ProcessChecks.all + SpeedChecks.all
            + FuzzChecks.all
        return checks.sorted { $0.place < $1.place }
    }()

    /// A check by its id.
    static func check(_ id: String) -> Check? { all.first { $0.id == id } }
}
