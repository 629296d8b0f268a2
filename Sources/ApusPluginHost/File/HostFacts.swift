import CApusGuard
import CApusPlugin
import Glibc

/// What plugins can find in this process: versions, the processor, the C library.
struct HostFacts: Sendable {
    /// The major version of the ABI.
    var major = Int(APUS_ABI_MAJOR)
    /// The minor version of the ABI.
    var minor = Int(APUS_ABI_MINOR)
    /// The layouts of the structs, by the minor version that they belong to.
    var layouts: [Int: [UInt8]]
    /// The C library that runs; nil when it does not say.
    var glibc: GlibcVersion?
    /// What the processor can do: bit 0 the baseline, bits 1 to 3 x86-64-v2 to v4; 0 when unknown.
    var isaLevels: UInt32
    /// Whether a name is one of the C library's.
    var isCLibraryName: @Sendable (String) -> Bool

    /// This process, on this machine.
    static let current: HostFacts = {
        // SAFETY: glibc returns a constant text; the handle is of a library that is never unloaded.
        let version = String(cString: apus_guard_libc_version())
        let library = CLibrary(handle: dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD))
        return HostFacts(
            layouts: KnownLayouts.ids,
            glibc: GlibcVersion(version),
            isaLevels: apus_guard_isa_levels(),
            isCLibraryName: { name in
                library.handle.map { dlsym($0, name) != nil } ?? false
            }
        )
    }()

    private struct CLibrary: @unchecked Sendable {
        // @unchecked because the handle is only looked up in, which any thread may do.
        let handle: UnsafeMutableRawPointer?
    }
}
