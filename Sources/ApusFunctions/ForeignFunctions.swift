/// Functions of the C library that no signature can describe.
///
/// A table, because compiled C does not tell its types: `printf` declared as `i32(str)` would be
/// called in a way that only happens to work.
enum ForeignFunctions {
    /// Why a function of the C library is refused; nil when it is not.
    static func reason(_ symbol: String) -> String? {
        if varargs.contains(symbol) {
            return "it takes a variable number of arguments, and such functions are called in "
                + "another way"
        }
        if structs.contains(symbol) {
            return "it passes or returns a struct or a complex number by value"
        }
        if callbacks.contains(symbol) { return "it takes a function to call back" }
        if ends.contains(symbol) { return "it ends the process, or leaves the call without return" }
        return nil
    }

    private static func words(_ text: String) -> Set<String> {
        Set(text.split(whereSeparator: \.isWhitespace).map(String.init))
    }

    private static let varargs = words(
        """
        printf fprintf sprintf snprintf dprintf asprintf obstack_printf wprintf fwprintf swprintf
        scanf fscanf sscanf wscanf fwscanf swscanf __isoc99_scanf __isoc99_sscanf __isoc99_fscanf
        __isoc23_scanf __isoc23_sscanf __isoc23_fscanf __printf_chk __fprintf_chk __sprintf_chk
        __snprintf_chk syslog err errx warn warnx error error_at_line open open64 openat openat64
        fcntl fcntl64 ioctl prctl syscall ptrace mremap semctl ulimit execl execle execlp clone
        strfmon strfmon_l mq_open makecontext
        """
    )

    private static let structs = words(
        """
        div ldiv lldiv imaxdiv mallinfo mallinfo2 inet_ntoa inet_makeaddr inet_lnaof inet_netof
        cabs cacos cacosh carg casin casinh catan catanh ccos ccosh cexp cimag clog clog10 conj
        cpow cproj creal csin csinh csqrt ctan ctanh cabsf cexpf clogf csqrtf cpowf
        """
    )

    private static let callbacks = words(
        """
        qsort qsort_r bsearch lfind lsearch tsearch tfind tdelete twalk twalk_r tdestroy atexit
        on_exit at_quick_exit signal bsd_signal sysv_signal sigaction sigset pthread_create
        pthread_once pthread_atfork pthread_key_create thrd_create call_once ftw ftw64 nftw nftw64
        fts_open scandir scandir64 glob glob64 hcreate dl_iterate_phdr fopencookie argp_parse
        register_printf_function timer_create
        """
    )

    private static let ends = words(
        """
        exit _exit _Exit quick_exit abort longjmp _longjmp siglongjmp __longjmp_chk setjmp _setjmp
        sigsetjmp __sigsetjmp pthread_exit thrd_exit __assert_fail __stack_chk_fail fork vfork
        setcontext swapcontext daemon execv execve execvp execvpe fexecve raise
        """
    )
}
