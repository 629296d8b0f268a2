import ApusCore
import ApusGraph
import CApusFunctions
import CApusGuard
import CApusPlugin
import Glibc
import Synchronization

/// A shared library that is loaded for its functions; it is never unloaded.
final class FunctionLibrary: @unchecked Sendable {
    // @unchecked because the handle is what the dynamic linker guards itself.

    /// The library as the job file names it.
    let name: String
    /// What serialises calls of a library that is not declared thread-safe.
    let lock: FunctionLock
    private let handle: UnsafeMutableRawPointer

    /// Loads a library.
    ///
    /// - Parameters:
    ///   - name: As the job file has it, for messages.
    ///   - path: A path with a slash, or a name that the dynamic linker looks for.
    ///   - function: Whose library it is, for messages.
    ///   - disk: Is looked at for libraries of a similar name.
    /// - Throws: ``FunctionError`` with what was looked for.
    init(
        _ name: String,
        path: String,
        function: String,
        disk: any Disk
    ) throws(FunctionError) {
        self.name = name
        let site = FunctionSite(function)
        var error = apus_error()
        error.size = UInt32(MemoryLayout<apus_error>.size)
        // SAFETY: the library's constructors run here, as they do for any program that uses it; a
        // child process has gone through this before.
        guard let handle = apus_guard_load(site.pointer, path, &error) else {
            let reason = withUnsafeBytes(of: &error.message) { bytes in
                String(decoding: bytes[..<min(Int(error.len), bytes.count)], as: UTF8.self)
            }
            throw FunctionError(
                function,
                "cannot load the library '\(name)': \(reason)"
                    + Self.advice(path, reason, disk)
            )
        }
        self.handle = handle
        lock = FunctionLock.of(library: String(cString: apus_library_path(handle)))
    }

    /// The address of a function.
    ///
    /// - Throws: ``FunctionError`` when there is none of that name, with similar ones; or when it
    ///   is no function, or one that cannot be called.
    func address(
        of symbol: String,
        function: String
    ) throws(FunctionError) -> UnsafeMutableRawPointer {
        let kind = apus_symbol_kind(handle, symbol)
        if kind == APUS_SYMBOL_DATA || kind == APUS_SYMBOL_THREAD_LOCAL {
            let what = kind == APUS_SYMBOL_DATA ? "a variable" : "a thread-local variable"
            throw FunctionError(
                function,
                "'\(symbol)' is \(what) and no function; name the function that returns it"
            )
        }
        // What dlsym() finds may also be in a library that this one needs.
        guard let address = dlsym(handle, symbol) else {
            throw FunctionError(
                function,
                "the library '\(name)' has no symbol '\(symbol)'; is it declared 'extern \"C\"', "
                    + "and not hidden? 'nm -D' lists what there is" + suggestion(for: symbol)
            )
        }
        let home = String(cString: apus_library_of(address))
        if Self.isOfSystem(home), let reason = ForeignFunctions.reason(symbol) {
            throw FunctionError(
                function,
                "\(reason); write a C function of your own around it, and name that one"
            )
        }
        return address
    }

    /// Whether a library is the C library: a function of one's own may be called `open`.
    private static func isOfSystem(_ path: String) -> Bool {
        let file = path.split(separator: "/").last ?? ""
        return ["libc.so", "libm.so", "libpthread.so", "libc-", "libm-"].contains {
            file.hasPrefix($0)
        }
    }

    private func suggestion(for symbol: String) -> String {
        /// Names, collected by a C callback.
        final class Names {
            var all: [String] = []
        }
        let names = Names()
        // SAFETY: the callback is called during this call only, and `names` outlives it.
        apus_symbol_each(handle, Unmanaged.passUnretained(names).toOpaque()) { context, name in
            guard let context, let name else { return }
            Unmanaged<Names>.fromOpaque(context).takeUnretainedValue().all
                .append(String(cString: name))
        }
        // A C++ function's name contains the plain one.
        let mangled = names.all.first {
            $0.hasPrefix("_Z") && $0.contains("\(symbol.utf8.count)\(symbol)")
        }
        guard let near = mangled ?? NearestWord.find(symbol, among: names.all.sorted()) else {
            return ""
        }
        return "; did you mean '\(near)'?"
            + (mangled == nil ? "" : " It is a C++ function: declare it 'extern \"C\"'")
    }

    // MARK: - Libraries that are not there

    private static let folders = [
        "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu", "/lib64", "/usr/lib64", "/usr/local/lib", "/usr/lib",
    ]

    private static func advice(_ path: String, _ reason: String, _ disk: any Disk) -> String {
        if path.contains("/") {
            return "; is the path right? It is relative to the job file"
        }
        var near: String?
        for folder in folders where near == nil {
            guard let entries = try? disk.list(folder) else { continue }  // Not on this system.
            let names = entries.map(\.name).sorted()
            near =
                names.first { $0 != path && $0.hasPrefix(path + ".") }
                ?? names.first { $0.hasPrefix("lib\(path).so.") || $0 == "lib\(path)" }
                ?? NearestWord.find(path, among: names)
        }
        let looked =
            reason.contains("No such file")
            ? "; looked for where the dynamic linker looks: LD_LIBRARY_PATH, the cache of "
                + "ldconfig, /lib, /usr/lib; a path with a '/' is relative to the job file" : ""
        return looked + (near.map { "; did you mean '\($0)'?" } ?? "")
    }
}
