import CApusFunctions

/// Arguments in memory, and the ways to call a function with them.
///
/// Lives as long as the program: there is one.
final class BareCalls {
    /// The address of a function that multiplies two numbers.
    static var multiply: UnsafeMutableRawPointer {
        let function: @convention(c) (Double, Double) -> Double = apus_bench_multiply
        // SAFETY: here and below a C function is an address.
        return unsafeBitCast(function, to: UnsafeMutableRawPointer.self)
    }

    /// The address of a function that multiplies two columns.
    static var multiplyAll: UnsafeMutableRawPointer {
        let function:
            @convention(c) (
                UnsafePointer<Double>?, UnsafePointer<Double>?, UnsafeMutablePointer<Double>?, Int
            ) -> Void = apus_bench_multiply_all
        return unsafeBitCast(function, to: UnsafeMutableRawPointer.self)
    }

    private let rowCount: Int
    private let rows: UnsafeMutablePointer<apus_cell>
    private let results: UnsafeMutablePointer<apus_cell>
    private let calls: UnsafeMutablePointer<apus_calls>

    init(rowCount: Int) {
        self.rowCount = rowCount
        // SAFETY: never freed, see above.
        rows = .allocate(capacity: 2 * rowCount)
        results = .allocate(capacity: rowCount)
        results.initialize(repeating: apus_cell(), count: rowCount)
        calls = .allocate(capacity: 1)
        calls.initialize(to: apus_calls())
        for index in 0..<2 * rowCount { rows[index].f64 = Double(index) / 4 }
    }

    /// A loop of the compiler, which knows the function.
    func direct() -> () -> Void {
        { [rows, results, rowCount] in apus_bench_direct(rows, results, rowCount) }
    }

    /// What an operator does.
    func scalar(usesFFI: Bool) -> () -> Void {
        let number = UInt8(APUS_TYPE_F64)
        return run(
            rows,
            count: rowCount,
            make(Self.multiply, result: number, [number, number], usesFFI: usesFFI)
        )
    }

    /// What an operator over columns does.
    func batch() -> () -> Void {
        let pointer = UInt8(APUS_TYPE_PTR)
        let row = UnsafeMutablePointer<apus_cell>.allocate(capacity: 4)
        row.initialize(repeating: apus_cell(), count: 4)
        row[0].ptr = UnsafeRawPointer(rows)
        row[1].ptr = UnsafeRawPointer(rows + rowCount)
        row[2].ptr = UnsafeRawPointer(results)
        row[3].u64 = UInt64(rowCount)
        let types = [pointer, pointer, pointer, UInt8(APUS_TYPE_U64)]
        let result = UInt8(APUS_TYPE_VOID)
        return run(row, count: 1, make(Self.multiplyAll, result: result, types, usesFFI: true))
    }

    private func make(
        _ address: UnsafeMutableRawPointer,
        result: UInt8,
        _ cells: [UInt8],
        usesFFI: Bool
    ) -> OpaquePointer {
        let made = apus_function_create(
            address,
            result,
            cells,
            cells.count,
            APUS_STRING_NONE,
            usesFFI
        )
        guard let made else { preconditionFailure("no memory") }
        return made
    }

    private func run(
        _ rows: UnsafeMutablePointer<apus_cell>,
        count: Int,
        _ function: OpaquePointer
    ) -> () -> Void {
        { [calls, results] in
            calls.pointee.function = function
            calls.pointee.rows = UnsafePointer(rows)
            calls.pointee.results = results
            calls.pointee.count = count
            calls.pointee.at = 0
            _ = apus_function_run(calls)
        }
    }
}
