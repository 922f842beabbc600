/* SPDX-License-Identifier: EUPL-1.2 */
/* What to do about an error that is of the machine, not of the request. */
#include <errno.h>
#include <stdio.h>

#include "tools/sobre/internal.h"

struct advice {
	int number; /* errno */
	const char *text;
};

static const struct advice advices[] = {
	{ ENOSPC, N_("there is no room left: free some on the file system of "
		     "the drive, then do it again; sobre gc gives back what "
		     "no file uses any more, and needs some MB itself") },
	{ EDQUOT, N_("a quota is used up: raise it, or free some room, then "
		     "do it again") },
	{ EROFS, N_("nothing can be written: unless the drive is read-only on "
		    "purpose, see what the kernel says (dmesg), check the "
		    "lower file system and mount it read-write again") },
	{ EMFILE, N_("the daemon has no descriptor left: raise LimitNOFILE= "
		     "of its service, or close files, then do it again") },
	{ ENFILE, N_("the system has no descriptor left: raise fs.file-max, "
		     "or close files, then do it again") },
	{ ENOMEM, N_("there is no memory left: end what takes it, then do it "
		     "again") },
	{ EIO, N_("the disk could not be read or written, or what is stored "
		  "is damaged: see what the kernel says (dmesg); sobre scrub "
		  "names the files that are hurt") },
};

void out_advice(int code)
{
	int number = error_to_errno(error_negative(code));

	for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++)
		if (advices[i].number == number)
			(void)fprintf(stderr, T("sobre: what to do: %s\n"),
				      po_text(advices[i].text));
}
