// The Apus plugin ABI, version 0.2: everything a plugin needs, in one include.
//
// A plugin is a shared library that exports one function, apus_plugin_v0 (entry.h). It describes
// its operators (component.h); the host creates instances of them and feeds them batches of
// records (batch.h), for which they write records (out.h), keep state (state.h) and set timers
// (timer.h). The header alone is enough: there is no library to link.
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
#include "apus/batch.h"
#include "apus/broadcast.h"
#include "apus/component.h"
#include "apus/context.h"
#include "apus/entry.h"
#include "apus/error.h"
#include "apus/host.h"
#include "apus/operator.h"
#include "apus/operator_state.h"
#include "apus/out.h"
#include "apus/state.h"
#include "apus/timer.h"
#include "apus/view.h"

#endif
