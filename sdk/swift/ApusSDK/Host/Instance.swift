public import CApusPlugin

/// An operator at work, with its type erased: the functions of the ABI, for one instance.
///
/// A closure per function, made where the type is known, so that the compiler specialises the
/// loops for it; there is one indirect call per batch.
@usableFromInline
final class Instance {
    let open: (UnsafeMutablePointer<apus_ctx>) -> Int32
    let process: (UnsafeMutablePointer<apus_ctx>, UnsafePointer<apus_batch>) -> Int32
    let processBroadcast: (UnsafeMutablePointer<apus_ctx>, UnsafePointer<apus_batch>) -> Int32
    let onTimers: (UnsafeMutablePointer<apus_ctx>, UnsafePointer<apus_timers>) -> Int32
    let onWatermark: (UnsafeMutablePointer<apus_ctx>, Int64) -> Int32
    private let free: () -> Void

    @usableFromInline
    init(
        open: @escaping (UnsafeMutablePointer<apus_ctx>) -> Int32,
        process: @escaping (UnsafeMutablePointer<apus_ctx>, UnsafePointer<apus_batch>) -> Int32,
        processBroadcast:
            @escaping (
                UnsafeMutablePointer<apus_ctx>, UnsafePointer<apus_batch>
            ) -> Int32,
        onTimers: @escaping (UnsafeMutablePointer<apus_ctx>, UnsafePointer<apus_timers>) -> Int32,
        onWatermark: @escaping (UnsafeMutablePointer<apus_ctx>, Int64) -> Int32,
        free: @escaping () -> Void
    ) {
        self.open = open
        self.process = process
        self.processBroadcast = processBroadcast
        self.onTimers = onTimers
        self.onWatermark = onWatermark
        self.free = free
    }

    deinit {
        free()
    }
}

/// The memory of an instance: the operator and its frame, at addresses that do not change.
///
/// In plain memory and not in a class, where each access would be checked for overlaps and each
/// callback would count references.
@usableFromInline
struct InstanceMemory<Subject: Operator> {
    @usableFromInline let subject: UnsafeMutablePointer<Subject>
    @usableFromInline let frame: UnsafeMutablePointer<Frame>
    @usableFromInline let isOpen: UnsafeMutablePointer<Bool>

    // SAFETY: made with the instance and freed with it, which is after its last callback.  The
    // host makes one call at a time, so nothing else touches them meanwhile.  The frame is
    // initialised by `open`, the first callback.
    @inlinable
    init(_ value: consuming Subject) {
        subject = .allocate(capacity: 1)
        subject.initialize(to: value)
        frame = .allocate(capacity: 1)
        isOpen = .allocate(capacity: 1)
        isOpen.initialize(to: false)
    }

    @usableFromInline
    func open(_ context: UnsafeMutablePointer<apus_ctx>, _ counterCount: Int) {
        frame.initialize(to: Frame(context, counterCount: counterCount))
        isOpen.pointee = true
    }

    @inlinable
    func free() {
        subject.deinitialize(count: 1)
        subject.deallocate()
        freeFrame()
    }

    @usableFromInline
    func freeFrame() {
        if isOpen.pointee {
            frame.pointee.free()
            frame.deinitialize(count: 1)
        }
        frame.deallocate()
        isOpen.deallocate()
    }
}
