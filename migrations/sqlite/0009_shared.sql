-- Owners of an installation may share one do-not-call list: then a number is looked for whoever wrote it.
CREATE INDEX do_not_call_by_number ON do_not_call (number);
