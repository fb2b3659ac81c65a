-- Words of notes find their calls as well: from here on they stand in `call_search` beside those of the name. It is
-- filled anew behind the dials, old notes with it.
INSERT INTO call_search (call_search) VALUES ('delete-all');
DELETE FROM settings WHERE key = 'searched_to';
