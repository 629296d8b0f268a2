// The identity of this version's layout: which fields every struct of the headers has, and where.
//
// The first 16 bytes of the SHA-256 of sdk/abi/layout.txt.
#ifndef APUS_LAYOUT_H
#define APUS_LAYOUT_H

#define APUS_LAYOUT_ID {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}

#endif
