import ApusCore
import ApusIO
import ApusJobFile

/// A file that names several operators which are to be swapped at once.
enum ChangeFile {
    private static let byteCountMax = 1 << 20

    /// Reads a file, or ends the program with what is wrong with it.
    static func read(_ path: String) throws -> SwapOrder {
        let bytes: [UInt8]
        do {
            bytes = try LinuxDisk().readAll(path, maximumByteCount: byteCountMax)
        } catch {
            Console.error(error.description)
            throw ExitStatus.invalid
        }
        let text = String(decoding: bytes, as: UTF8.self)
        switch ChangeFileReader.read(text: text, fileName: path) {
        case .failure(let errors):
            Console.note(errors.description)
            throw ExitStatus.invalid
        case .success(let changes):
            let folder = SwapCommand.absolute(path).split(separator: "/").dropLast()
                .joined(separator: "/")
            return SwapOrder(
                changes: changes.map { change in
                    SwapOrder.Change(
                        operator: change.operator,
                        // As in a job file: from where the file lies.
                        file: change.file.hasPrefix("/")
                            ? change.file : "/\(folder)/\(change.file)",
                        component: change.component,
                        expected: change.expected
                    )
                }
            )
        }
    }
}
