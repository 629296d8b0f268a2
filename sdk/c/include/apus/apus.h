// The Apus plugin ABI, version 0.3: everything a plugin needs, in one include.
//
// A plugin is a shared library that exports one function, apus_plugin_v0 (entry.h). It describes
// its components (component.h): operators, sources (source.h), sinks (sink.h), codecs (codec.h).
// The host creates instances of operators and feeds them batches of records (batch.h), for which
// they write records (out.h), keep state (state.h), set timers (timer.h) and make asynchronous
// calls (async.h). A note in the file (note.h) says what it was built for. The headers alone are
// enough: there is no library to link.
//
// Initialise structs by the names of their fields, `{.size = sizeof(apus_port), ...}`: then source
// that was written for older headers compiles with newer ones, where structs have grown.
//
// Conventions that hold everywhere:
//
//   - Structs start with `size`, set by whoever allocated them. New fields are only appended, and
//     zero in a new field means the old behaviour. APUS_HAS asks whether a field is there.
//   - Strings are UTF-8 with a length, not zero-terminated, unless a comment says otherwise.
//   - Times are microseconds since 1970-01-01T00:00:00Z.
//   - Every function says on which thread it may run:
//       [ctl]   the control thread: never two calls at once for one plugin; may block briefly
//       [op]    the instance's thread: one call at a time; must not block
//       [any]   any thread, at any time
//       [pure]  any thread, several at once, no context and no calls to the host
//   - Nothing may be thrown, and no longjmp may leave, through a function of this ABI. The host
//     catches what does (as APUS_EXCEPTION), but the instance is lost.
//   - The host never calls a plugin from inside a function that the plugin called.
//
// Until version 1.0 a minor version may break plugins; the host refuses those it cannot run.
#ifndef APUS_APUS_H
#define APUS_APUS_H

#include "apus/abi.h"
#include "apus/aggregate.h"
#include "apus/async.h"
#include "apus/batch.h"
#include "apus/broadcast.h"
#include "apus/codec.h"
#include "apus/component.h"
#include "apus/context.h"
#include "apus/entry.h"
#include "apus/error.h"
#include "apus/extensions.h"
#include "apus/host.h"
#include "apus/layout.h"
#include "apus/migration.h"
#include "apus/note.h"
#include "apus/operator.h"
#include "apus/operator_state.h"
#include "apus/out.h"
#include "apus/sink.h"
#include "apus/source.h"
#include "apus/state.h"
#include "apus/timer.h"
#include "apus/view.h"

#endif
