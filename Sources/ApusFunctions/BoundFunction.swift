package import ApusCore
package import ApusGraph
import CApusFunctions

/// A C function that was found, and is ready to be called by any number of threads.
package final class BoundFunction: @unchecked Sendable {
    // @unchecked because what it refers to is never changed once it is made.

    /// How a function is called.
    package enum Tier: String, Sendable {
        /// By a loop that was compiled for its types.
        case loop = "a compiled loop"
        /// By libffi.
        case libffi
        /// By libffi, once for many records.
        case batch = "libffi, once per batch"
    }

    /// What the job file says.
    package let description: FunctionDescription
    let signature: FunctionSignature
    let pointer: OpaquePointer
    let lock: FunctionLock?

    /// Loads the library and finds the function.
    ///
    /// - Parameters:
    ///   - description: What the job file says.
    ///   - path: The library's path with a slash, or the name that the dynamic linker looks for.
    ///   - disk: Is looked at for libraries of a similar name.
    /// - Throws: ``FunctionError`` that says what was found and what was expected.
    package convenience init(
        _ description: FunctionDescription,
        path: String,
        disk: any Disk
    ) throws(FunctionError) {
        let function = "function \(description.name)"
        let library = try FunctionLibrary(
            description.library,
            path: path,
            function: function,
            disk: disk
        )
        let address = try library.address(of: description.symbol, function: function)
        self.init(
            description,
            address: address,
            lock: description.isThreadSafe ? nil : library.lock,
            usesFFI: false
        )
    }

    /// Binds a function whose address is known: what benchmarks call.
    ///
    /// - Parameters:
    ///   - description: Its signature, and what it is used for.
    ///   - address: Where it is; it must have that signature.
    ///   - usesFFI: Whether to call by libffi even where there is a compiled loop.
    package convenience init(
        _ description: FunctionDescription,
        address: UnsafeMutableRawPointer,
        usesFFI: Bool
    ) {
        self.init(description, address: address, lock: nil, usesFFI: usesFFI)
    }

    private init(
        _ description: FunctionDescription,
        address: UnsafeMutableRawPointer,
        lock: FunctionLock?,
        usesFFI: Bool
    ) {
        self.description = description
        signature = description.signature
        self.lock = lock
        let cells = signature.cells
        // SAFETY: the C side copies the types; the address stays valid because no library is ever
        // unloaded.
        let made = apus_function_create(
            address,
            signature.resultCell,
            cells,
            cells.count,
            signature.strings,
            usesFFI || signature.isBatch
        )
        guard let made else { preconditionFailure("16 parameters have at most 32 cells") }
        pointer = made
    }

    deinit { apus_function_destroy(pointer) }

    /// How it is called.
    package var tier: Tier {
        if signature.isBatch { return .batch }
        return apus_function_uses_ffi(pointer) ? .libffi : .loop
    }
}
