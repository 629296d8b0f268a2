import ApusGraph
import CApusFunctions

extension FunctionSignature {
    /// What travels in registers: a constant of `APUS_TYPE_` per cell.
    var cells: [UInt8] { parameters.flatMap(\.cells) }

    /// What is returned.
    var resultCell: UInt8 {
        switch result {
        case .nothing: UInt8(APUS_TYPE_VOID)
        case .number(let type): type.cell
        case .borrowedString, .mallocString: UInt8(APUS_TYPE_PTR)
        }
    }

    /// What is done with a string that is returned.
    var strings: Int32 {
        switch result {
        case .nothing, .number: APUS_STRING_NONE
        case .borrowedString: APUS_STRING_BORROWED
        case .mallocString: APUS_STRING_MALLOC
        }
    }
}

extension FunctionSignature.Parameter {
    /// The cells of one parameter.
    var cells: [UInt8] {
        switch self {
        case .number(let type): [type.cell]
        case .bytes: [UInt8(APUS_TYPE_PTR), UInt8(APUS_TYPE_U64)]
        case .count: [UInt8(APUS_TYPE_U64)]
        case .string, .out, .column, .stringColumn, .outColumn: [UInt8(APUS_TYPE_PTR)]
        }
    }

    /// The bytes of a value in a column.
    var columnStride: Int {
        switch self {
        case .column(let type), .outColumn(let type): type.byteCount
        case .number, .string, .bytes, .out, .stringColumn, .count: 8
        }
    }
}

extension FunctionSignature.Number {
    /// The constant of `APUS_TYPE_`.
    var cell: UInt8 {
        switch self {
        case .i8: UInt8(APUS_TYPE_I8)
        case .i16: UInt8(APUS_TYPE_I16)
        case .i32: UInt8(APUS_TYPE_I32)
        case .i64: UInt8(APUS_TYPE_I64)
        case .u8: UInt8(APUS_TYPE_U8)
        case .u16: UInt8(APUS_TYPE_U16)
        case .u32: UInt8(APUS_TYPE_U32)
        case .u64: UInt8(APUS_TYPE_U64)
        case .f32: UInt8(APUS_TYPE_F32)
        case .f64: UInt8(APUS_TYPE_F64)
        case .bool: UInt8(APUS_TYPE_BOOL)
        }
    }

    /// The size in memory.
    var byteCount: Int {
        switch self {
        case .i8, .u8, .bool: 1
        case .i16, .u16: 2
        case .i32, .u32, .f32: 4
        case .i64, .u64, .f64: 8
        }
    }
}
