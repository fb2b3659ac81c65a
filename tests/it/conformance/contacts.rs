//! Lists and files of contacts, written in slices and one by one, found and taken into queues.

use dialdeck::{
    domain::{
        call::State,
        campaign::{
            ContactSource::{self, ContactList, CsvFile},
            Status,
        },
        contact::{ImportReport, NewContact},
        id::{ContactId, SourceId},
        outcome::Outcome,
        people::People,
        phone::PhoneNumber,
    },
    store::{ContactSearch, ContactTable, ListedSearch, Setting, StoreError},
};

use super::{FOREIGN, House, ids, sorted};

databases!(
    lists_and_files_are_their_owners_when_they_are_complete,
    slices_go_in_and_duplicates_are_told,
    contacts_come_out_with_their_columns_by_name,
    a_contact_is_written_over_and_removed,
    a_deleted_source_goes_in_slices,
    queues_take_contacts_with_what_a_campaign_did_about_them,
    rows_that_wait_follow_their_contact,
    people_are_found_by_parts_of_what_they_are_called,
    the_do_not_call_list_is_one_row_a_number,
    a_shared_list_holds_for_every_owner,
    contacts_go_over_into_a_list_that_is_there,
    an_import_that_was_decided_is_found_at_any_age,
    people_are_counted_by_where_they_stand,
);

async fn people_are_counted_by_where_they_stand(house: House) {
    let h = house.ids;
    let people = many(0, 9);
    let (who, numbers): (Vec<ContactId>, Vec<String>) = people.iter().map(|c| (c.id, c.number.to_string())).unzip();
    let flagged = NewContact { do_not_call: true, ..contact(20, "+12025559999") };
    house.contacts(CsvFile, h.file, people.into_iter().chain([flagged]).collect()).await;
    let count = async || house.store.headcount(&house.store.campaign(h.owner, h.campaign).await.unwrap().unwrap()).await.unwrap();
    let all = People { contacts: 10, ..People::default() };
    assert_eq!(count().await, People { waiting: 9, do_not_call: 1, ..all }, "who has not begun calls whoever may be called");
    house.start(h.campaign).await;
    let to = |i: usize| (Some(who[i]), numbers[i].clone());
    // Tried again, on the line, answered, not reached in its one attempt, turned away, listed, and three without a row.
    let first = house.dial(|c| (c.contact_id, c.phone_number) = to(0)).await;
    house.end(&first, State::Busy, 10, |_| {}).await;
    house.queue(|c| ((c.contact_id, c.phone_number), c.attempt) = (to(0), 2)).await;
    house.dial(|c| (c.contact_id, c.phone_number) = to(1)).await;
    let talked = house.dial(|c| (c.contact_id, c.phone_number) = to(2)).await;
    house.end(&talked, State::Completed, 60, |r| r.answered_at = Some(h.after(5))).await;
    let missed = house.dial(|c| (c.contact_id, c.phone_number) = to(3)).await;
    house.end(&missed, State::NoAnswer, 10, |_| {}).await;
    let refused = house.queue(|c| (c.contact_id, c.phone_number) = to(4)).await;
    house.change(&refused, |r| (r.state, r.completed_at, r.charged) = (State::Failed, Some(h.now), false)).await;
    let listed = numbers[5].clone();
    tx!(house, |tx| tx.add_do_not_call(h.owner, &listed, "", "test", "", h.now).await?);
    house.dial(|c| c.contact_id = None).await;
    let retries = house.store.campaign(h.owner, h.campaign).await.unwrap().unwrap().retry.0.max_attempts;
    assert_eq!(retries, 1);
    // Full: whoever has no row gets none. While it fills, they are to get one.
    let full = People { waiting: 1, again: 1, on_the_line: 1, called: 1, not_reached: 1, turned_away: 4, do_not_call: 2, ..all };
    assert_eq!(count().await, full);
    tx!(house, |tx| tx.set_fill(h.campaign, Some(5)).await?);
    assert_eq!(count().await, People { waiting: 4, turned_away: 1, ..full }, "behind the sixth nobody has a row yet");
    tx!(house, |tx| tx.set_fill(h.campaign, None).await?);
    assert!(tx!(house, |tx| tx.move_campaign(h.campaign, Status::Running, Status::Completed, "", "engine", h.now).await?));
    assert_eq!(count().await, full);
    assert!(tx!(house, |tx| tx.move_campaign(h.campaign, Status::Completed, Status::Completed, "", "Ana", h.now).await?));
    assert_eq!(count().await, People { stopped: 4, turned_away: 0, ..full }, "a new start would call them");
    // Of the list alone.
    let of = (CsvFile, h.file);
    assert_eq!(house.store.silent_in_list(h.owner, CsvFile, h.file).await.unwrap(), 2);
    assert_eq!(house.store.silent_in_list(h.stranger, CsvFile, h.file).await.unwrap(), 1);
    let dialled = async |owner, since| house.store.dialled_in_list(owner, CsvFile, h.file, since).await.unwrap();
    assert_eq!((dialled(h.owner, h.now).await, dialled(h.owner, h.after(1)).await, dialled(h.stranger, h.now).await), (4, 0, 0));
    let other = source(&house, ContactList, "other", 5).await;
    house.contacts(ContactList, other, many(7, 5)).await;
    assert_eq!(house.store.in_both_lists(of, (ContactList, other)).await.unwrap(), 2);
    assert_eq!(house.store.in_both_lists(of, of).await.unwrap(), 10);
    let some: Vec<&str> = numbers.iter().map(String::as_str).collect();
    assert_eq!(house.store.listed_of(h.owner, &some).await.unwrap(), [numbers[5].clone()]);
    assert!(house.store.listed_of(h.stranger, &some).await.unwrap().is_empty());
    let whole = house.store.pace_within(h.owner, h.now, h.after(60)).await.unwrap();
    assert_eq!((whole.armed, whole.dials, whole.answered, whole.failed), (5, 5, 1, 0));
    assert!(house.store.pace_within(h.owner, h.after(1), h.after(60)).await.unwrap().is_zero());
}

/// A contact with nothing but a name and a number.
pub fn contact(line: i64, number: &str) -> NewContact {
    NewContact {
        id: ContactId::fresh(),
        line,
        name: format!("Contact {line}"),
        number: PhoneNumber::own(number).unwrap(),
        alternatives: vec![],
        country: "US".into(),
        zones: "America/New_York".into(),
        said: String::new(),
        remark: None,
        email: String::new(),
        company: String::new(),
        notes: String::new(),
        do_not_call: false,
        consent_at: None,
        consent_source: String::new(),
        extra: vec![],
    }
}

fn many(from: i64, n: i64) -> Vec<NewContact> {
    (from..from + n).map(|i| contact(i, &format!("+1202{:07}", 5_000_000 + i))).collect()
}

/// A complete list or file.
async fn source(house: &House, table: ContactSource, name: &'static str, seconds: i64) -> SourceId {
    let (h, id) = (house.ids, SourceId::fresh());
    tx!(house, |tx| {
        match table {
            ContactList => tx.insert_list(id, h.owner, name, "uploading", h.after(seconds)).await?,
            CsvFile => tx.insert_csv_file(id, h.owner, name, 1234, h.after(seconds)).await?,
        }
        let report = ImportReport { imported: 7, invalid: 2, do_not_call: 1, ..ImportReport::default() };
        tx.finish_source(table, id, &report, h.after(seconds)).await?;
    });
    id
}

async fn lists_and_files_are_their_owners_when_they_are_complete(house: House) {
    let h = house.ids;
    let list = source(&house, ContactList, FOREIGN, 10).await;
    let file = source(&house, CsvFile, FOREIGN, 20).await;
    let unready = SourceId::fresh();
    tx!(house, |tx| tx.insert_list(unready, h.owner, "not yet", "uploading", h.after(30)).await?);
    let all = house.store.sources(h.owner).await.unwrap();
    assert_eq!(all.iter().map(|s| s.id).collect::<Vec<_>>(), [file, list, h.file], "complete ones, newest first");
    assert!(house.store.sources(h.stranger).await.unwrap().is_empty());
    let read = house.store.source(h.owner, list).await.unwrap().unwrap();
    assert_eq!((read.id, read.user_id, read.name.as_str(), read.description.as_str(), read.source), (list, h.owner, FOREIGN, "", ContactList));
    assert_eq!((read.status.as_str(), read.contacts, read.do_not_call, read.invalid, read.file_size), ("completed", 7, 1, 2, 0));
    assert_eq!((read.created_at, read.updated_at), (h.after(10), h.after(10)));
    let read = house.store.source(h.owner, file).await.unwrap().unwrap();
    assert_eq!((read.name.as_str(), read.source, read.contacts, read.invalid, read.file_size), (FOREIGN, CsvFile, 7, 2, 1234));
    assert_eq!(house.store.source(h.owner, unready).await.unwrap().map(|s| (s.status, s.invalid)), Some(("uploading".into(), 0)));
    assert!(house.store.source(h.stranger, list).await.unwrap().is_none());
    let page = house.store.sources_page(h.owner, CsvFile, 1, 1).await.unwrap();
    assert_eq!((page.rows[0].id, page.rows.len(), page.total), (h.file, 1, 2));
    assert_eq!(house.store.sources_page(h.owner, ContactList, 500, 0).await.unwrap().total, 1);
    let has = async |owner, table, id| tx!(house, |tx| tx.has_source(owner, table, id).await?);
    assert!(has(h.owner, ContactList, list).await && has(h.owner, CsvFile, file).await);
    assert!(!has(h.owner, CsvFile, list).await && !has(h.stranger, CsvFile, file).await && !has(h.owner, ContactList, unready).await);
    let rename = async |owner, id| tx!(house, |tx| tx.rename_list(owner, id, "New", FOREIGN, h.after(40)).await?);
    assert!(rename(h.owner, list).await && !rename(h.stranger, list).await && !rename(h.owner, unready).await && !rename(h.owner, file).await);
    let read = house.store.source(h.owner, list).await.unwrap().unwrap();
    assert_eq!((read.name.as_str(), read.description.as_str(), read.updated_at), ("New", FOREIGN, h.after(40)));
    let unfinished = async |at| tx!(house, |tx| tx.unfinished_sources(h.after(at)).await?);
    assert_eq!((unfinished(30).await, unfinished(31).await), (vec![], vec![(ContactList, unready)]));
}

async fn slices_go_in_and_duplicates_are_told(house: House) {
    let h = house.ids;
    for table in [ContactList, CsvFile] {
        let id = source(&house, table, "list", 1).await;
        assert_eq!(house.contacts(table, id, many(1, 1)).await, [1]);
        assert_eq!(house.contacts(table, id, many(2, 200)).await, (2..202).collect::<Vec<_>>(), "a full slice");
        assert_eq!(house.contacts(table, id, many(202, 500)).await.len(), 500);
        // Numbers 700 and 701 are there; so is the second in a slice.
        let mut again = many(700, 4);
        again.iter_mut().zip(801..).for_each(|(c, line)| c.line = line);
        again.push(NewContact { id: ContactId::fresh(), line: 805, ..again[2].clone() });
        let before = sorted(house.contacts(table, id, again).await);
        assert_eq!(before, [803, 804], "in one list a number is one contact");
        let mut seldom = contact(900, "+12025559000");
        (seldom.do_not_call, seldom.said, seldom.notes, seldom.consent_source) = (true, FOREIGN.into(), FOREIGN.into(), FOREIGN.into());
        (seldom.consent_at, seldom.alternatives) = (Some(h.after(-5)), vec![PhoneNumber::own("+15550001").unwrap(), PhoneNumber::own("+15550002").unwrap()]);
        assert_eq!(house.contacts(table, id, vec![seldom, contact(901, "+12025559001")]).await, [900, 901]);
        assert_eq!(tx!(house, |tx| tx.last_position(table, id).await?), 901);
        assert_eq!(tx!(house, |tx| tx.last_position(table, SourceId::fresh()).await?), 0);
        let row = house.store.source(h.owner, id).await.unwrap().unwrap();
        let made = house.store.makeup(&row).await.unwrap();
        assert_eq!((made.total, made.do_not_call, made.with_email, made.with_zone), (705, 1, 0, 705));
        let page = house.store.contacts(h.owner, &row, 2, 1).await.unwrap();
        assert_eq!((page.rows[0].position, page.rows[1].position, page.total), (900, 804, 7), "the last first; as many as its import says");
        let c = &page.rows[0];
        assert_eq!((c.alternatives.as_str(), c.said.as_deref(), c.notes.as_str(), c.do_not_call), ("+15550001,+15550002", Some(FOREIGN), FOREIGN, true));
        assert_eq!((c.consent_at, c.consent_source.as_deref(), c.created_at, c.updated_at), (Some(h.after(-5)), Some(FOREIGN), h.now, None));
        let c = &page.rows[1];
        assert_eq!((c.said.as_deref().unwrap_or(""), c.consent_at, c.do_not_call, c.source_id), ("", None, false, id));
        assert!(house.store.contacts(h.stranger, &row, 500, 0).await.unwrap().rows.is_empty());
    }
    let orphan = house.store.contact_slice(CsvFile, SourceId::fresh(), &many(1, 1), h.now);
    assert!(try_tx!(house, |tx| tx.insert_contacts(orphan).await?).is_err(), "of no file");
}

async fn contacts_come_out_with_their_columns_by_name(house: House) {
    let h = house.ids;
    for table in [ContactList, CsvFile] {
        let id = source(&house, table, "list", 1).await;
        let names = ["plan".to_owned(), FOREIGN.to_owned()];
        tx!(house, |tx| tx.name_columns(table, id, &names).await?);
        let mut c = contact(5, "+12025550101");
        (c.name, c.email, c.company, c.extra) = (FOREIGN.into(), FOREIGN.into(), FOREIGN.into(), vec!["Pro".into(), FOREIGN.into()]);
        let of = c.id;
        let hidden = NewContact { do_not_call: true, ..contact(1, "+12025550102") };
        house.contacts(table, id, vec![c, contact(3, "+12025550103"), hidden]).await;
        let rows = house.store.sample_contacts(id, 500).await.unwrap();
        assert_eq!(rows.iter().map(|c| c.position).collect::<Vec<_>>(), [3, 5], "in order, and none that said no");
        assert!(rows[0].fields.is_empty());
        let c = &rows[1];
        assert_eq!((c.id, c.source_id, c.name.as_str(), c.email.as_str(), c.company.as_str()), (of, id, FOREIGN, FOREIGN, FOREIGN));
        assert_eq!((c.fields["plan"].as_str(), c.fields[FOREIGN].as_str(), c.attempts, c.last_end), (Some("Pro"), Some(FOREIGN), 0, None));
        assert_eq!(house.store.sample_contacts(id, 1).await.unwrap().len(), 1);
        let c = house.store.contact(h.owner, table, of).await.unwrap().unwrap();
        assert_eq!((c.id, c.fields["plan"].as_str(), c.fields.len(), c.phone_number.as_str()), (of, Some("Pro"), 2, "+12025550101"));
        let c = tx!(house, |tx| (tx.contact(h.owner, table, of).await?, tx.contact(h.stranger, table, of).await?));
        assert_eq!((c.0.map(|c| c.fields.len()), c.1.is_none()), (Some(2), true));
        assert!(house.store.contact(h.stranger, table, of).await.unwrap().is_none());
        let with = async |number: &'static str| tx!(house, |tx| tx.contact_with(table, id, number).await?);
        assert_eq!((with("+12025550101").await, with("+1").await), (Some(of), None));
        let wanted = [of, ContactId::fresh()];
        let there = tx!(house, |tx| tx.present_contacts(&wanted).await?);
        assert_eq!((there.len(), there[0].id, there[0].name.as_str(), there[0].changed), (1, of, FOREIGN, false));
        assert!(tx!(house, |tx| tx.present_contacts(&[]).await?).is_empty());
    }
    let cards = house.store.cards_of(h.owner, "+12025550101").await.unwrap();
    assert_eq!((cards.len(), cards[0].fields.len()), (2, 2), "of a list and of a file");
    assert!(house.store.cards_of(h.stranger, "+12025550101").await.unwrap().is_empty());
}

async fn a_contact_is_written_over_and_removed(house: House) {
    let h = house.ids;
    for table in [ContactList, CsvFile] {
        let id = source(&house, table, "list", 1).await;
        let mut c = contact(1, "+12025550101");
        let (of, mut fields) = (c.id, serde_json::Map::new());
        let first = c.clone();
        let none = fields.clone();
        tx!(house, |tx| tx.put_contact(table, id, &first, None, &none, h.after(1)).await?);
        let row = house.store.contact(h.owner, table, of).await.unwrap().unwrap();
        assert_eq!((row.said, row.consent_at, row.do_not_call, row.updated_at, row.fields.len()), (None, None, false, Some(h.after(1)), 0));
        fields.insert(FOREIGN.into(), serde_json::json!({ "a": [1, null, FOREIGN] }));
        (c.name, c.number, c.email, c.company, c.notes) =
            (FOREIGN.into(), PhoneNumber::own("+442079460000").unwrap(), FOREIGN.into(), FOREIGN.into(), FOREIGN.into());
        (c.country, c.zones, c.do_not_call, c.consent_at, c.consent_source, c.line) =
            ("GB".into(), "Europe/London".into(), true, Some(h.now), FOREIGN.into(), 99);
        let (second, all) = (c.clone(), fields.clone());
        tx!(house, |tx| tx.put_contact(table, id, &second, Some("Europe/London;"), &all, h.after(2)).await?);
        let row = house.store.contact(h.owner, table, of).await.unwrap().unwrap();
        assert_eq!([&row.name, &row.email, &row.company, &row.notes], [FOREIGN; 4]);
        assert_eq!(
            (row.phone_number.as_str(), row.country.as_str(), row.zones.as_str(), row.said.as_deref()),
            ("+442079460000", "GB", "Europe/London", Some("Europe/London;"))
        );
        assert_eq!((row.do_not_call, row.consent_at, row.consent_source.as_deref()), (true, Some(h.now), Some(FOREIGN)));
        assert_eq!((row.fields, row.position, row.created_at, row.updated_at), (fields, 1, h.after(1), Some(h.after(2))));
        let other = contact(2, "+442079460000");
        let taken = try_tx!(house, |tx| tx.put_contact(table, id, &other, None, &serde_json::Map::new(), h.now).await?);
        assert!(matches!(taken, Err(StoreError::Unique)), "{taken:?}");
        tx!(house, |tx| tx.move_counts(table, id, -3, 2, h.after(3)).await?);
        let source = house.store.source(h.owner, id).await.unwrap().unwrap();
        assert_eq!((source.contacts, source.do_not_call, source.updated_at), (4, 3, h.after(3)));
        assert!(tx!(house, |tx| tx.present_contacts(&[of]).await?)[0].changed);
        tx!(house, |tx| {
            tx.remove_contact(table, of).await?;
            tx.remove_contact(table, of).await?;
        });
        assert!(house.store.contact(h.owner, table, of).await.unwrap().is_none());
    }
}

async fn a_deleted_source_goes_in_slices(house: House) {
    let h = house.ids;
    for table in [ContactList, CsvFile] {
        let id = source(&house, table, "list", 1).await;
        house.contacts(table, id, many(1, 500)).await;
        let named = house.campaign(|c| (c.source, c.source_id, c.name) = (table, Some(id), FOREIGN.into())).await;
        let users = tx!(house, |tx| tx.users_of_source(id).await?);
        assert_eq!((users.len(), users[0].id, users[0].name.as_str()), (1, named, FOREIGN));
        tx!(house, |tx| tx.delete_campaign(named, h.now).await?);
        assert!(tx!(house, |tx| tx.users_of_source(id).await?).is_empty());
        tx!(house, |tx| tx.hide_source(table, id, h.after(5)).await?);
        assert!(house.store.source(h.owner, id).await.unwrap().is_none() && !tx!(house, |tx| tx.has_source(h.owner, table, id).await?));
        assert!(tx!(house, |tx| tx.unfinished_sources(h.after(6)).await?).contains(&(table, id)));
        let slice = async |id, limit| tx!(house, |tx| tx.remove_source_slice(table, id, limit).await?);
        assert!(!slice(id, 499).await && slice(id, 499).await, "499, then the one left");
        assert!(!tx!(house, |tx| tx.unfinished_sources(h.after(6)).await?).contains(&(table, id)));
        // A deleted campaign names it still: its row stays. Of one that nobody names all is gone.
        assert!(house.store.campaign(h.owner, named).await.unwrap().is_none());
        let other = source(&house, table, "other", 1).await;
        assert!(slice(other, 500).await);
        assert!(house.store.source(h.owner, other).await.unwrap().is_none());
    }
}

async fn queues_take_contacts_with_what_a_campaign_did_about_them(house: House) {
    let h = house.ids;
    let rows = many(1, 6);
    let contacts: Vec<ContactId> = rows.iter().map(|c| c.id).collect();
    let numbers: Vec<String> = rows.iter().map(|c| c.number.to_string()).collect();
    house.contacts(CsvFile, h.file, rows).await;
    house.contacts(CsvFile, h.file, vec![NewContact { do_not_call: true, ..contact(7, "+12025559007") }]).await;
    let dial = async |i: usize| {
        let (contact, number) = (contacts[i], numbers[i].clone());
        house.dial(|c| (c.contact_id, c.phone_number) = (Some(contact), number)).await
    };
    let tried = dial(0).await;
    house.end(&tried, State::NoAnswer, 30, |_| {}).await;
    let free = dial(1).await;
    house.end(&free, State::Failed, 40, |r| r.charged = false).await;
    dial(2).await;
    let talked = dial(3).await;
    house.end(&talked, State::Completed, 50, |r| r.answered_at = Some(h.now)).await;
    let no = dial(4).await;
    house.end(&no, State::NoAnswer, 60, |r| r.outcome = Some(Outcome::DoNotCall)).await;
    let listed = numbers[5].clone();
    tx!(house, |tx| tx.add_do_not_call(h.owner, &listed, "", "test", "", h.now).await?);
    let take = async |after, limit| tx!(house, |tx| tx.contacts_to_queue(h.owner, h.file, h.campaign, after, limit).await?);
    let all = take(0, 500).await;
    assert_eq!(all.iter().map(|c| c.position).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    assert_eq!(all.iter().map(|c| c.attempts).collect::<Vec<_>>(), [1, 0, 1, 1, 1, 0], "those that were charged");
    assert_eq!(all.iter().map(|c| c.last_end).collect::<Vec<_>>(), [Some(30), Some(40), None, Some(50), Some(60), None].map(|s| s.map(|s| h.after(s))));
    assert_eq!(all.iter().map(|c| c.on_do_not_call).collect::<Vec<_>>(), [false, false, false, false, false, true]);
    let page = take(2, 2).await;
    assert_eq!((page.len(), page[0].id, page[0].phone_number == numbers[2]), (2, contacts[2], true));
    assert!(take(6, 500).await.is_empty());
    let settled = tx!(house, |tx| tx.settled_contacts(h.campaign, &all).await?);
    assert_eq!(sorted(settled), sorted([contacts[2], contacts[3], contacts[4]]));
    assert!(tx!(house, |tx| tx.settled_contacts(h.campaign, &[]).await?).is_empty());
    let pairs = [(h.campaign, contacts[0]), (h.campaign, contacts[2]), (h.campaign, ContactId::fresh())];
    let mut counted = tx!(house, |tx| tx.rows_of_contacts(&pairs).await?);
    counted.sort_by_key(|r| r.contact_id);
    assert_eq!(
        counted.iter().map(|r| (r.campaign_id, r.contact_id, r.total, r.open)).collect::<Vec<_>>(),
        [(h.campaign, contacts[0], 1, 0), (h.campaign, contacts[2], 1, 1)]
    );
    assert!(tx!(house, |tx| tx.rows_of_contacts(&[]).await?).is_empty());
    assert_eq!(house.store.contacts_in(ContactTable::CsvFile, h.file).await.unwrap(), 7);
    let places = house.store.unqueued_contacts(h.owner, ContactTable::CsvFile, h.file, 3).await.unwrap();
    assert_eq!(places.len(), 1);
    assert_eq!(
        (places[0].zones.as_str(), places[0].country.as_str(), places[0].number.as_str(), places[0].n),
        ("America/New_York", "US", numbers[3].as_str(), 2)
    );
    assert_eq!(house.store.unqueued_contacts(h.stranger, ContactTable::CsvFile, h.file, 0).await.unwrap()[0].n, 6, "whose list it is not");
}

async fn rows_that_wait_follow_their_contact(house: House) {
    let h = house.ids;
    let who = ContactId::fresh();
    let row = house.queue(|c| c.contact_id = Some(who)).await;
    let unarmed = async |source| tx!(house, |tx| ids(&tx.unarmed_of_contact(source, who).await?));
    assert_eq!((unarmed(h.file).await, unarmed(SourceId::fresh()).await), (vec![row.id], vec![]));
    let mut to = house.new_call(|c| (c.phone_number, c.contact_name, c.contact_email) = ("+15551234567".into(), FOREIGN.into(), FOREIGN.into()));
    (to.id, to.country, to.zones) = (row.id, "GB".into(), "elsewhere;".into());
    let first = to.clone();
    assert!(tx!(house, |tx| tx.redirect(&first, h.after(3)).await?));
    let is = house.call(row.id).await;
    assert_eq!((is.phone_number.as_str(), is.contact_name.as_str(), is.country.as_str(), is.zones.as_str()), ("+15551234567", FOREIGN, "GB", "elsewhere;"));
    assert_eq!((is.position, is.updated_at), (row.position, h.after(3)));
    let claimed = house.claim(&is).await;
    to.phone_number = "+15550000000".into();
    assert!(!tx!(house, |tx| tx.redirect(&to, h.after(4)).await?), "what is claimed does not change under its engine");
    assert_eq!((house.call(row.id).await.phone_number.as_str(), unarmed(h.file).await), ("+15551234567", vec![row.id]));
    house.arm(&claimed, |_| {}).await;
    assert_eq!(unarmed(h.file).await, []);

    let position = async |id| house.store.campaign(h.owner, id).await.unwrap().unwrap().fill_position;
    tx!(house, |tx| tx.fill_again(h.file, 7).await?);
    assert_eq!(position(h.campaign).await, None, "not started yet");
    house.start(h.campaign).await;
    tx!(house, |tx| tx.fill_again(h.file, 7).await?);
    assert_eq!(position(h.campaign).await, Some(7));
    tx!(house, |tx| tx.fill_again(h.file, 3).await?);
    assert_eq!(position(h.campaign).await, Some(7), "it is being filled");
    tx!(house, |tx| tx.set_fill(h.campaign, None).await?);
    assert_eq!(position(h.campaign).await, None);
}

async fn people_are_found_by_parts_of_what_they_are_called(house: House) {
    let h = house.ids;
    let list = source(&house, ContactList, "list", 1).await;
    let mut rows = many(1, 20);
    (rows[0].name, rows[1].company, rows[2].email) = ("Élodie O'Brien 100%_!".into(), "Acme GmbH".into(), "a.b@example.org".into());
    rows[3].name = "名前".into();
    house.contacts(ContactList, list, rows).await;
    let list_row = house.store.source(h.owner, list).await.unwrap().unwrap();
    let find = async |owner, text: &str, limit| {
        let q = ContactSearch { list, text: text.into(), after: None, limit };
        let found = house.store.find_contacts(owner, &list_row, &q).await.unwrap();
        (found.rows.iter().map(|r| r.position).collect::<Vec<_>>(), found.next)
    };
    assert_eq!(find(h.owner, "", 3).await.0, [20, 19, 18]);
    for (text, wanted) in [("élo", 1), ("ÉLO brien", 1), ("100%_!", 1), ("acme", 2), ("B@EXAMPLE", 3), ("名", 4), ("5000 005", 5), ("+1 (202) 500-0005", 5)]
    {
        assert_eq!(find(h.owner, text, 500).await, (vec![wanted], None), "{text}");
    }
    assert_eq!(find(h.owner, "nobody", 500).await, (vec![], None));
    assert!(find(h.stranger, "", 500).await.0.is_empty());
    // Page by page each once.
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let q = ContactSearch { list, text: "contact".into(), after, limit: 7 };
        let page = house.store.find_contacts(h.owner, &list_row, &q).await.unwrap();
        seen.extend(page.rows.iter().map(|r| r.position));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, (1..=20).rev().filter(|p| ![1, 4].contains(p)).collect::<Vec<_>>());
}

async fn the_do_not_call_list_is_one_row_a_number(house: House) {
    let h = house.ids;
    let add = async |owner, number: &'static str, at| tx!(house, |tx| tx.add_do_not_call(owner, number, FOREIGN, "import", FOREIGN, h.after(at)).await?);
    assert_eq!(house.store.do_not_call(h.owner, 500, 0).await.unwrap().total, 0);
    assert!(add(h.owner, "+12025550102", 1).await && !add(h.owner, "+12025550102", 2).await && add(h.owner, "+12025550101", 3).await);
    assert!(add(h.stranger, "+12025550102", 4).await, "each owner's own");
    let page = house.store.do_not_call(h.owner, 1, 1).await.unwrap();
    let r = &page.rows[0];
    assert_eq!(
        (r.number.as_str(), r.reason.as_str(), r.source.as_str(), r.created_by.as_str(), r.created_at),
        ("+12025550102", FOREIGN, "import", FOREIGN, h.after(1))
    );
    assert_eq!((page.rows.len(), page.total), (1, 2));
    let on = async |owner, number| house.store.on_do_not_call(owner, number).await.unwrap();
    assert!(on(h.owner, "+12025550101").await && !on(h.stranger, "+12025550101").await && !on(h.owner, "+1").await);
    assert!(tx!(house, |tx| tx.is_listed(h.owner, "+12025550101").await? && !tx.is_listed(h.owner, "+1").await?));
    assert!(tx!(house, |tx| tx.remove_do_not_call(h.owner, "+12025550101").await?));
    assert!(!tx!(house, |tx| tx.remove_do_not_call(h.owner, "+12025550101").await?));
    let undo = async |by: &'static str, since| tx!(house, |tx| tx.undo_do_not_call(h.owner, "+12025550102", by, h.after(since)).await?);
    assert!(!undo("other", 0).await && !undo(FOREIGN, 2).await, "an earlier entry, or another's, stays");
    assert!(undo(FOREIGN, 1).await && !undo(FOREIGN, 1).await && on(h.stranger, "+12025550102").await);

    let numbers: Vec<String> = (0..500).map(|i| format!("+1202{i:07}")).collect();
    let all = numbers.clone();
    let import = tx!(house, |tx| {
        let some: Vec<&str> = all.iter().map(String::as_str).collect();
        let none = tx.import_do_not_call(h.owner, &[], "national", "Zoë", h.after(9)).await?;
        (
            none,
            tx.import_do_not_call(h.owner, &some[..2], "national", "Zoë", h.after(9)).await?,
            tx.import_do_not_call(h.owner, &some, "national", "Zoë", h.after(9)).await?,
        )
    });
    assert_eq!(import, (0, 2, 498), "those that are new");
    let find = async |digits: &str, after: Option<String>, limit| {
        house.store.find_listed(h.owner, &ListedSearch { digits: digits.into(), after, limit }).await.unwrap()
    };
    let first = find("", None, 200).await;
    assert_eq!((first.rows.len(), first.rows[0].number.as_str(), first.total), (200, "+12020000000", Some(500)));
    let second = find("", first.next, 200).await;
    assert_eq!((second.rows[0].number.as_str(), second.total), ("+12020000200", None));
    let third = find("", second.next, 200).await;
    assert_eq!((third.rows.len(), third.next), (100, None));
    let some = find("0-0123", None, 200).await;
    assert_eq!((some.rows.len(), some.rows[0].number.as_str(), some.next, some.total), (1, "+12020000123", None, None));
    assert_eq!(find("99999999", None, 9).await, dialdeck::store::FoundListed::default());
}

async fn a_shared_list_holds_for_every_owner(house: House) {
    let h = house.ids;
    let number = "+12025550101";
    tx!(house, |tx| tx.add_do_not_call(h.stranger, number, "theirs", "test", "Zoë", h.now).await?);
    assert!(!house.store.on_do_not_call(h.owner, number).await.unwrap() && house.store.listed(h.owner, number).await.unwrap().is_none());
    tx!(house, |tx| tx.put_setting(Setting::SharedDoNotCall, "on").await?);
    assert!(house.store.on_do_not_call(h.owner, number).await.unwrap() && tx!(house, |tx| tx.is_listed(h.owner, number).await?));
    let entry = house.store.listed(h.owner, number).await.unwrap().unwrap();
    assert_eq!((entry.own, entry.entry.reason.as_str(), entry.entry.created_by.as_str()), (false, "theirs", "Zoë"));
    tx!(house, |tx| tx.add_do_not_call(h.owner, number, "ours", "test", "", h.after(5)).await?);
    let entry = house.store.listed(h.owner, number).await.unwrap().unwrap();
    assert_eq!((entry.own, entry.entry.reason.as_str()), (true, "ours"), "its own before a shared one");
    assert!(house.store.listed(h.owner, "+1").await.unwrap().is_none());
}

async fn contacts_go_over_into_a_list_that_is_there(house: House) {
    let h = house.ids;
    for table in [ContactList, CsvFile] {
        let (from, into) = (source(&house, table, "new", 1).await, source(&house, table, "old", 1).await);
        house.contacts(table, into, many(1, 3)).await;
        // Number 3 is there already; another said no.
        let mut coming = many(3, 4);
        coming[3].do_not_call = true;
        coming[1].extra = vec!["Pro".into()];
        let names = ["plan".to_owned()];
        let slice = house.store.named_slice(table, from, &coming, &names, h.now);
        assert_eq!(tx!(house, |tx| tx.insert_contacts(slice).await?).len(), 4);
        let has = sorted(house.store.numbers_of(table, into, &[coming[0].number.as_str(), coming[1].number.as_str()]).await.unwrap());
        assert_eq!((has, house.store.numbers_of(table, into, &[]).await.unwrap()), (vec![coming[0].number.to_string()], vec![]));
        tx!(house, |tx| tx.send_over(table, from, into, h.after(1)).await?);
        let last = tx!(house, |tx| tx.last_position(table, into).await?);
        let moved = async |last, limit| tx!(house, |tx| tx.move_contacts(table, from, into, last, limit).await?).map(|m| (m.contacts, m.do_not_call));
        assert_eq!(moved(last, 2).await, Some((1, 0)), "who is there stays behind");
        let last = tx!(house, |tx| tx.last_position(table, into).await?);
        assert_eq!(moved(last, 500).await, Some((2, 1)));
        assert_eq!((moved(last, 500).await, tx!(house, |tx| tx.last_position(table, from).await?)), (None, 0), "nobody is left");
        let places = house.store.sample_contacts(into, 500).await.unwrap();
        assert_eq!(places.len(), 5, "without whoever said no");
        assert!(places.windows(2).all(|w| w[0].position < w[1].position), "behind those that were there, in their order");
        assert!(places.iter().any(|c| c.fields.get("plan").is_some_and(|v| v == "Pro")), "with its columns by name: {:?}", places[3].fields);
    }
}

async fn an_import_that_was_decided_is_found_at_any_age(house: House) {
    let h = house.ids;
    let decided = async || {
        let left = tx!(house, |tx| tx.decided_imports().await?);
        left.into_iter().map(|l| (l.source, l.id, l.user_id, l.into_list())).collect::<Vec<_>>()
    };
    assert_eq!(decided().await, []);
    let (unready, into) = (SourceId::fresh(), source(&house, ContactList, "old", 1).await);
    tx!(house, |tx| {
        tx.insert_list(unready, h.owner, "new", "processing", h.now).await?;
        tx.send_over(ContactList, unready, into, h.now).await?;
    });
    assert_eq!(decided().await, [(ContactList, unready, h.owner, Some(into))]);
    assert_eq!(tx!(house, |tx| tx.unfinished_sources(h.after(99)).await?), [], "it is finished, not thrown away");
}
