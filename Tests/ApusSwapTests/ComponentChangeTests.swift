import ApusSwap
import Testing

@Suite("A change from one version of an operator to another")
struct ComponentChangeTests {
    private func shape(_ states: [ComponentShape.State]) -> ComponentShape {
        var shape = ComponentShape(id: "count")
        shape.states = states
        return shape
    }

    @Test("Equal versions change nothing but the code")
    func equal() {
        let state = ComponentShape.State(name: "sum", kind: "counter", schemaVersion: 1)
        let change = ComponentChange(from: shape([state]), to: shape([state]))
        #expect(change.isCodeOnly)
        #expect(change.goesBack)
        #expect(change.obstacles.isEmpty)
    }

    @Test("A new version of the bytes without a migrate is refused, and says how to mend it")
    func unreadable() {
        let old = ComponentShape.State(name: "sum", kind: "value", schemaVersion: 1)
        let new = ComponentShape.State(name: "sum", kind: "value", schemaVersion: 2)
        let change = ComponentChange(from: shape([old]), to: shape([new]))
        #expect(change.obstacles.map(\.name) == ["sum"])
        #expect(change.obstacles.first?.reason?.contains("min_readable 1") == true)
    }

    @Test("A renamed state is found under its old name")
    func renamed() {
        let old = ComponentShape.State(name: "sum", kind: "value", schemaVersion: 1)
        var new = ComponentShape.State(name: "total", kind: "value", schemaVersion: 1)
        new.migration.renamedFrom = "sum"
        let change = ComponentChange(from: shape([old]), to: shape([new]))
        #expect(
            change.parts == [
                ComponentChange.Part(
                    .state,
                    "total",
                    .asIs,
                    oldIndex: 0,
                    newIndex: 0,
                    fromVersion: 1,
                    toVersion: 1,
                    goesBack: true
                )
            ]
        )
    }
}
