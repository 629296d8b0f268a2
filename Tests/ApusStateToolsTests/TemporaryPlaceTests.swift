import ApusCore
import ApusIO
import ApusTestSupport
import Testing

@testable import ApusStateTools

/// Temporary folders are of one process each, and go with it.
@Suite("Temporary places")
struct TemporaryPlaceTests {
    @Test("what a killed process has left goes when the next one comes, what is used stays")
    func sweeps() throws {
        let world = try StateWorld()
        let disk = world.disk
        let start = world.root + "/x.apus-read-"
        // As left by a process that was killed: a folder and a file that nobody has locked.
        try disk.makeDirectory(start + "dead")
        try world.write("1", to: start + "dead/data")
        try world.write("1", to: start + "dead.lock")
        try world.write("1", to: world.root + "/x.other")
        let first = try TemporaryPlace(start, disk: disk, entropy: world.entropy)
        try disk.makeDirectory(first.path)
        #expect(!disk.exists(start + "dead") && !disk.exists(start + "dead.lock"))
        let second = try TemporaryPlace(start, disk: disk, entropy: world.entropy)
        #expect(disk.exists(first.path) && first.path != second.path)
        try second.close()
        try disk.removeTree(first.path)
        try first.close()
        #expect(try disk.list(world.root).map(\.name) == ["x.other"])
    }
}
