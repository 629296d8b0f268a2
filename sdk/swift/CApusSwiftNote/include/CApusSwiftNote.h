// Declares nothing: what matters is the note in note.c.
#include "apus/apus.h"
