//! What the gates look at, and what a dial takes by compare-and-set: day, trunk, number, call.

use chrono::Duration;
use dialdeck::{
    domain::{
        call::State,
        campaign::{ContactSource, Status},
        id::{CallId, CampaignId, Incarnation, RequestId, TrunkId},
        outcome::{Outcome, Who},
    },
    store::{Armed, CallRow, LISTED, Setting, StoreError, minute_of},
};

use super::{House, contacts::contact, ids, trunk};

databases!(
    arming_takes_day_trunk_and_number_or_is_refused,
    arming_is_for_the_holder_of_the_last_claim,
    lines_are_the_trunks_and_never_more,
    a_trunk_is_recorded_once_and_kept_up_to_date,
    a_number_is_taken_by_one_and_held_until_its_end_is_proven,
    books_that_do_not_agree_are_found,
    what_a_claim_is_judged_by_is_read_at_once,
    consents_and_history_of_a_number_are_the_owners,
    what_arming_is_judged_by_is_read_at_once,
);

/// What is left when arming is refused must be nothing: the job is undone.
async fn refused(house: &House, armed: Armed) -> bool {
    let job: Result<(), StoreError> = try_tx!(house, |tx| if !tx.arm(&armed).await? {
        return Err(StoreError::Broken);
    });
    matches!(job, Err(StoreError::Broken))
}

async fn arming_takes_day_trunk_and_number_or_is_refused(house: House) {
    let h = house.ids;
    let row = house.queue(|_| {}).await;
    let row = house.claim(&row).await;
    let next = house.queue(|_| {}).await;
    let next = house.claim(&next).await;
    let is = house.arm(&row, |a| (a.cap, a.next, a.script, a.tokens) = (1, Some(h.after(3)), super::FOREIGN.into(), 0.125)).await;
    let wanted = CallRow {
        state: State::Armed,
        armed_at: Some(h.now),
        started_at: Some(h.now),
        deadline_at: Some(h.after(50)),
        lease_until: Some(h.after(50)),
        armed_day: Some("2026-11-18".into()),
        reply_pending: true,
        room_name: Some(format!("dd-{}", row.id)),
        trunk_id: Some(h.trunk),
        caller_id: Some("+15550009999".into()),
        script: Some(super::FOREIGN.into()),
        ..row.clone()
    };
    assert_eq!(format!("{is:?}"), format!("{wanted:?}"));
    let c = house.store.campaign(h.owner, h.campaign).await.unwrap().unwrap();
    assert_eq!((c.counts.live, c.counts.dials, c.next_call_at, c.last_execution_at), (1, 1, Some(h.after(3)), Some(h.now)));
    let t = house.store.outgoing(h.assistant).await.unwrap().unwrap().trunk;
    assert_eq!((t.trunk_live, t.trunk_tokens, t.trunk_refilled_at), (Some(1), Some(0.125), Some(h.now)));
    let day = house.store.campaign_day(h.campaign, h.now.date_naive()).await.unwrap().unwrap();
    assert_eq!((day.used, day.cap), (1, 1));
    let minute = house.store.campaign_pace(h.campaign, (0, i64::MAX / 100), 1).await.unwrap();
    assert_eq!((minute.len(), minute[0].minute, minute[0].pace.armed, minute[0].pace.dials), (1, minute_of(h.now), 1, 1));

    assert!(refused(&house, Armed { cap: 1, ..house.armed(&next) }).await, "the day has no room left");
    assert!(refused(&house, Armed { lines: 1, ..house.armed(&next) }).await, "nor has the trunk");
    assert!(refused(&house, Armed { trunk: TrunkId::fresh(), ..house.armed(&next) }).await, "there is no such trunk");
    assert!(refused(&house, Armed { number: row.phone_number.clone(), ..house.armed(&next) }).await, "the number is another call's");
    let day = house.store.campaign_day(h.campaign, h.now.date_naive()).await.unwrap().unwrap();
    assert_eq!((day.used, day.cap), (1, 1), "what was not armed leaves nothing");
    house.arm(&next, |a| a.cap = 2).await;
    let day = house.store.campaign_day(h.campaign, h.now.date_naive()).await.unwrap().unwrap();
    assert_eq!((day.used, day.cap), (2, 2));
    assert!(house.store.campaign_day(h.campaign, h.now.date_naive() + Duration::days(1)).await.unwrap().is_none());
}

async fn arming_is_for_the_holder_of_the_last_claim(house: House) {
    let h = house.ids;
    let waiting = house.queue(|_| {}).await;
    let armed = |row: &CallRow| house.armed(row);
    assert!(refused(&house, armed(&waiting)).await, "what nobody has claimed");
    let row = house.claim(&waiting).await;
    assert!(refused(&house, Armed { incarnation: Incarnation::fresh(), ..armed(&row) }).await, "another engine's");
    assert!(refused(&house, Armed { claim_number: 0, ..armed(&row) }).await && refused(&house, Armed { claim_number: 2, ..armed(&row) }).await);
    assert!(refused(&house, Armed { call: CallId::fresh(), ..armed(&row) }).await);
    let number = row.claim_number;
    assert!(tx!(house, |tx| tx.release(row.id, number, h.now, "", h.now).await?));
    assert!(refused(&house, armed(&row)).await, "one that was given back");
    let again = house.claim(&waiting).await;
    let is = house.arm(&again, |_| {}).await;
    assert!(refused(&house, armed(&again)).await, "armed once");
    house.end(&is, State::Completed, 5, |_| {}).await;
    assert!(refused(&house, armed(&again)).await, "and never again");
}

async fn lines_are_the_trunks_and_never_more(house: House) {
    let h = house.ids;
    let call = house.dial(|_| {}).await.id;
    let requests = [RequestId::fresh(), RequestId::fresh()];
    let take = async |i: usize, limit| tx!(house, |tx| tx.take_listening_line((requests[i], call), h.trunk, limit, (h.after(1), h.after(600))).await?);
    assert!(!take(0, 1).await, "the call has it");
    assert!(take(0, 2).await && !take(1, 2).await);
    let facts = async || house.store.outgoing(h.assistant).await.unwrap().unwrap().trunk;
    let t = facts().await;
    assert_eq!((t.trunk_live, t.trunk_tokens, t.trunk_refilled_at), (Some(2), Some(-0.5), Some(h.after(1))), "the next dial waits for another token");
    let lines = house.store.listening_lines().await.unwrap();
    assert_eq!((lines.len(), lines[0].request_id, lines[0].taken_at, lines[0].until), (1, requests[0], h.after(1), h.after(600)));
    assert_eq!((lines[0].result.is_none(), lines[0].room_name.clone()), (true, Some(format!("dd-{call}"))));
    let (used, listened) = tx!(house, |tx| (tx.lines_in_use().await?, tx.lines_listened_on().await?));
    assert_eq!((used, listened), (vec![(h.trunk, h.owner, 2)], vec![(h.trunk, 1)]));
    tx!(house, |tx| tx.set_trunk_limits(1).await?);
    assert_eq!(facts().await.trunk_max_live, Some(2), "never below what is in use");
    assert!(!take(1, 99).await);
    tx!(house, |tx| {
        tx.free_listening_line(requests[0]).await?;
        tx.free_listening_line(requests[0]).await?;
    });
    assert_eq!((facts().await.trunk_live, house.store.listening_lines().await.unwrap().len()), (Some(1), 0), "given back once");
    tx!(house, |tx| tx.slow_trunk(h.trunk, h.after(2)).await?);
    assert_eq!((facts().await.trunk_tokens, facts().await.trunk_refilled_at), (Some(-2.0), Some(h.after(2))));
    tx!(house, |tx| tx.set_trunk_limits(9).await?);
    tx!(house, |tx| tx.move_trunk_lines(h.trunk, -7).await?);
    assert_eq!((facts().await.trunk_live, facts().await.trunk_max_live), (Some(0), Some(9)), "not below none");
    tx!(house, |tx| tx.move_trunk_lines(h.trunk, 12).await?);
    assert_eq!((facts().await.trunk_live, facts().await.trunk_max_live), (Some(12), Some(12)), "the count stays true");
}

async fn a_trunk_is_recorded_once_and_kept_up_to_date(house: House) {
    let h = house.ids;
    tx!(house, |tx| tx.move_trunk_lines(h.trunk, 3).await?);
    let mut again = trunk(TrunkId::fresh(), h.stranger, "ST_1");
    (again.name, again.address, again.max_live) = (super::FOREIGN.into(), "other".into(), 2);
    (again.numbers.0, again.countries.0) = (vec![], vec![super::FOREIGN.into()]);
    let second = trunk(TrunkId::fresh(), h.stranger, "ST_2");
    let id = second.id;
    tx!(house, |tx| {
        tx.put_trunk(&again, h.after(1)).await?;
        tx.put_trunk(&second, h.after(1)).await?;
    });
    let all = house.store.trunks().await.unwrap();
    assert_eq!(all.iter().map(|t| t.id).collect::<Vec<_>>(), [id, h.trunk], "newest first");
    let t = &all[1];
    assert_eq!((t.user_id, t.name.as_str(), t.address.as_str(), t.live, t.max_live), (h.owner, super::FOREIGN, "other", 3, 3));
    assert_eq!((&t.numbers.0, &t.countries.0), (&vec![], &vec![super::FOREIGN.to_owned()]));
    let owners = tx!(house, |tx| [tx.trunk_owner("ST_1").await?, tx.trunk_owner("ST_2").await?, tx.trunk_owner("ST_3").await?]);
    assert_eq!(owners, [Some(h.owner), Some(h.stranger), None]);
}

async fn a_number_is_taken_by_one_and_held_until_its_end_is_proven(house: House) {
    let h = house.ids;
    let (a, b) = (CallId::fresh(), CallId::fresh());
    let take = async |call, at| tx!(house, |tx| tx.take_number("+1555", call, h.after(at)).await?);
    let free = async |calls: Vec<(String, CallId, Option<chrono::DateTime<chrono::Utc>>)>| tx!(house, |tx| tx.free_numbers(&calls).await?);
    assert!(take(a, 0).await && take(a, 1).await && !take(b, 2).await);
    free(vec![]).await;
    free(vec![("+1555".into(), b, None), ("+1556".into(), a, None)]).await;
    assert!(!take(b, 2).await, "not theirs to free");
    free(vec![("+1555".into(), a, Some(h.after(600)))]).await;
    assert!(!take(b, 599).await && take(b, 600).await, "held until then");
    free(vec![("+1555".into(), b, Some(h.after(900)))]).await;
    assert!(take(b, 700).await, "for whom it is held");
    free(vec![("+1555".into(), b, Some(h.after(900)))]).await;
    tx!(house, |tx| tx.release_hold("+1555", a, h.now, h.now).await?);
    assert!(!take(a, 700).await);
    tx!(house, |tx| tx.release_hold("+1555", b, h.now, h.now).await?);
    assert!(take(a, 700).await);
    free(vec![("+1555".into(), a, None)]).await;
    assert!(take(b, 0).await, "free at once");
    // Many at once.
    let many: Vec<_> = (0..500).map(|i| (format!("+2{i}"), CallId::fresh(), None)).collect();
    let taken = many.clone();
    tx!(house, |tx| {
        for (number, call, _) in &taken {
            assert!(tx.take_number(number, *call, h.now).await?);
        }
    });
    assert_eq!(house.store.numbers_taken_by_nobody().await.unwrap().len(), 501);
    free(many).await;
    assert_eq!(house.store.numbers_taken_by_nobody().await.unwrap().len(), 1);
}

async fn books_that_do_not_agree_are_found(house: House) {
    let h = house.ids;
    let live = house.dial(|_| {}).await;
    let ended = house.ended(State::NoAnswer, 30, |_| {}).await;
    assert!(house.store.numbers_taken_by_nobody().await.unwrap().is_empty() && house.store.calls_without_number().await.unwrap().is_empty());
    assert_eq!(ids(&tx!(house, |tx| tx.calls_on_the_line().await?)), [live.id]);
    let (number, other) = (ended.phone_number.clone(), live.phone_number.clone());
    tx!(house, |tx| {
        tx.give_number(&number, ended.id, h.after(40)).await?;
        tx.free_numbers(&[(other, live.id, None)]).await?;
    });
    let taken = house.store.numbers_taken_by_nobody().await.unwrap();
    assert_eq!((taken.len(), taken[0].number.as_str(), taken[0].call_id, taken[0].last_armed_at), (1, ended.phone_number.as_str(), ended.id, h.after(40)));
    assert_eq!(house.store.calls_without_number().await.unwrap(), [live.id]);
    let number = live.phone_number.clone();
    tx!(house, |tx| tx.give_number(&number, live.id, h.now).await?);
    assert!(house.store.calls_without_number().await.unwrap().is_empty(), "whatever the books said");
}

async fn what_a_claim_is_judged_by_is_read_at_once(house: House) {
    let h = house.ids;
    let standing = async |id| tx!(house, |tx| tx.claim_standing(id).await?);
    assert!(standing(CampaignId::fresh()).await.is_none());
    let s = standing(h.campaign).await.unwrap();
    assert_eq!((s.execution_status, s.generation, s.deleted, s.leader), (Status::Idle, 1, false, None));
    house.start(h.campaign).await;
    tx!(house, |tx| {
        tx.put_setting(Setting::Leader, "me").await?;
        tx.delete_campaign(h.campaign, h.now).await?;
    });
    let s = standing(h.campaign).await.unwrap();
    assert_eq!((s.execution_status, s.generation, s.deleted, s.leader.as_deref()), (Status::Running, 3, true, Some("me")));

    let mut rich = contact(1, "+12025550101");
    (rich.company, rich.consent_at, rich.extra) = (super::FOREIGN.into(), Some(h.after(-9)), vec!["Pro".into(), super::FOREIGN.into()]);
    (rich.said, rich.alternatives) = ("America/New_York;".into(), vec![]);
    let of = rich.id;
    tx!(house, |tx| {
        tx.name_columns(ContactSource::CsvFile, h.file, &["plan".into(), super::FOREIGN.into()]).await?;
    });
    house.contacts(ContactSource::CsvFile, h.file, vec![rich]).await;
    let listed = house.queue(|c| (c.contact_id, c.phone_number, c.priority) = (Some(of), "+12025550101".into(), 1)).await;
    let bare = house.queue(|c| (c.contact_id, c.priority) = (None, 0)).await;
    let read = async |wanted: Vec<CallId>| {
        let mut rows = tx!(house, |tx| tx.claim_rows(&wanted, h.after(-86_400)).await?);
        rows.sort_by_key(|r| r.gates.id);
        rows
    };
    assert!(read(vec![]).await.is_empty() && read(vec![CallId::fresh()]).await.is_empty());
    let rows = read(vec![bare.id, listed.id]).await;
    let [full, empty] = <[_; 2]>::try_from(rows).unwrap();
    let g = &full.gates;
    assert_eq!((g.id, g.phone_number.as_str(), g.country.as_str(), g.zones.as_str()), (listed.id, "+12025550101", "US", listed.zones.as_str()));
    assert_eq!((g.said.as_deref(), g.own_consent_at, g.consent_at(), g.promised), (Some("America/New_York;"), Some(h.after(-9)), Some(h.after(-9)), true));
    assert_eq!((g.on_do_not_call, g.wrong_number, g.number_live, g.number_held_until, g.closures.clone()), (false, false, false, None, None));
    assert_eq!(full.company.as_deref(), Some(super::FOREIGN));
    let fields = full.fields();
    assert_eq!((fields["plan"].as_str(), fields[super::FOREIGN].as_str(), fields.len()), (Some("Pro"), Some(super::FOREIGN), 2));
    let g = &empty.gates;
    assert!(g.said.is_none() && g.consent_at().is_none() && !g.promised && g.history().dials.is_empty() && empty.company.is_none());
    assert!(empty.fields().is_empty());
}

async fn consents_and_history_of_a_number_are_the_owners(house: House) {
    let h = house.ids;
    let number = "+12025550101";
    let by = |c: &mut dialdeck::store::NewCall| c.phone_number = number.into();
    // An earlier talk, tagged; one without an answer; one that never rang; and one of before the limit.
    let mut at = 0;
    let mut past = async |state, outcome: Option<Outcome>, talked: bool| {
        at += 100;
        let row = house.dial_at(h.after(at), by).await;
        house
            .end(&row, state, at + 10, |r| {
                (r.outcome, r.outcome_at, r.outcome_who) = (outcome, outcome.map(|_| h.after(at + 10)), outcome.map(|_| Who::Operator));
                r.answered_at = talked.then(|| h.after(at + 5));
            })
            .await
    };
    past(State::NoAnswer, None, false).await;
    past(State::NoAnswer, None, false).await;
    past(State::Completed, Some(Outcome::NotInterested), true).await;
    past(State::Unsent, None, false).await;
    past(State::Completed, Some(Outcome::WrongNumber), true).await;
    let (mut old, mut new) = (contact(1, number), contact(1, number));
    (old.consent_at, old.consent_source, new.consent_at, new.consent_source) = (Some(h.after(-99)), "form".into(), Some(h.after(-5)), super::FOREIGN.into());
    let newest = new.id;
    let list = dialdeck::domain::id::SourceId::fresh();
    tx!(house, |tx| {
        tx.insert_list(list, h.owner, "list", "completed", h.now).await?;
    });
    house.contacts(ContactSource::ContactList, list, vec![new]).await;
    house.contacts(ContactSource::CsvFile, h.file, vec![old]).await;
    tx!(house, |tx| {
        tx.put_setting(Setting::LawClosed, "[]").await?;
        tx.add_do_not_call(h.owner, number, "", "test", "", h.now).await?;
        tx.take_number(number, CallId::fresh(), h.after(900)).await?;
    });
    let asked = house.queue(|c| (c.phone_number, c.priority, c.contact_id) = (number.into(), 2, None)).await;
    let g = tx!(house, |tx| tx.claim_rows(&[asked.id], h.after(150)).await?).remove(0).gates;
    let consent = g.known_consent.clone().unwrap().0;
    assert_eq!((consent.at, consent.contact, consent.source.as_deref()), (h.after(-5), newest, Some(super::FOREIGN)));
    assert_eq!((g.consent_at(), g.own_consent_at), (Some(h.after(-5)), None));
    let history = g.history();
    assert_eq!(history.dials, [h.after(200), h.after(300), h.after(500)], "since then, and what rang");
    assert_eq!((history.talked_at, history.refused_at, history.wrong_number), (Some(h.after(510)), Some(h.after(310)), true));
    assert_eq!((g.on_do_not_call, g.number_live, g.closures.as_deref()), (true, true, Some("[]")));
    // Of another owner, the same number: what was dialled counts for all, what was said does not.
    let theirs = house.new_call(|c| (c.phone_number, c.priority, c.contact_id) = (number.into(), 2, None));
    let id = theirs.id;
    let g = tx!(house, |tx| {
        tx.insert_calls(h.stranger, h.campaign, &[theirs], h.now).await?;
        tx.claim_rows(&[id], h.after(150)).await?.remove(0).gates
    });
    assert!(g.known_consent.is_none() && !g.on_do_not_call && !g.wrong_number);
    assert_eq!((g.history().dials.len(), g.history().refused_at), (3, None));
}

async fn what_arming_is_judged_by_is_read_at_once(house: House) {
    let h = house.ids;
    house.start(h.campaign).await;
    let row = house.queue(|_| {}).await;
    let claimed = house.claim(&row).await;
    let campaign = house.store.campaign(h.owner, h.campaign).await.unwrap().unwrap();
    let facts = async |id, trunk, caller: &'static str| {
        let campaign = campaign.clone();
        tx!(house, |tx| tx.arm_facts(id, &campaign, trunk, caller, h.now.date_naive(), h.after(-86_400)).await?)
    };
    assert!(facts(CallId::fresh(), h.trunk, "+15550009999").await.is_none());
    let f = facts(row.id, h.trunk, "+15550009999").await.unwrap();
    assert_eq!((f.contact.id, f.state, f.incarnation, f.claim_number), (row.id, State::Claimed, Some(h.mine), claimed.claim_number));
    assert_eq!((f.execution_status, f.generation, f.next_call_at, f.live, f.used_today), (Status::Running, 2, None, 0, None));
    assert_eq!((f.kill_switch, f.kill_switch_reason, f.leader, f.terms, f.national_list_at), (None, None, None, None, None));
    assert_eq!((f.any_without_agent, f.hangup_requested_at, f.trunk.trunk_live, f.trunk.trunk_max_live), (false, None, Some(0), Some(50)));
    assert!(facts(row.id, TrunkId::fresh(), "+15550009999").await.unwrap().trunk.trunk_live.is_none(), "no longer over it");
    assert!(facts(row.id, h.trunk, "+1").await.unwrap().trunk.trunk_live.is_none(), "no longer from it");

    let silent = house.dial(|_| {}).await;
    let number = row.phone_number.clone();
    assert!(tx!(house, |tx| tx.set_abandoned(silent.id, State::Armed, h.now).await?));
    tx!(house, |tx| {
        tx.put_setting(Setting::KillSwitch, "on").await?;
        tx.put_setting(Setting::KillSwitchReason, super::FOREIGN).await?;
        tx.put_setting(Setting::Leader, "me").await?;
        tx.put_setting(Setting::Terms, "Zoë, today").await?;
        tx.put_setting(Setting::NationalList(h.owner, LISTED), "2026-11-01T00:00:00Z").await?;
        tx.request_hangup(row.id, "Zoë", "test", h.after(7)).await?;
        tx.take_number(&number, CallId::fresh(), h.now).await?;
    });
    let f = facts(row.id, h.trunk, "+15550009999").await.unwrap();
    assert_eq!((f.kill_switch.as_deref(), f.kill_switch_reason.as_deref(), f.leader.as_deref()), (Some("on"), Some(super::FOREIGN), Some("me")));
    assert_eq!((f.terms.as_deref(), f.national_list_at.map(|t| t.to_rfc3339())), (Some("Zoë, today"), Some("2026-11-01T00:00:00+00:00".into())));
    assert_eq!((f.any_without_agent, f.hangup_requested_at, f.live, f.used_today), (true, Some(h.after(7)), 1, Some(1)));
    assert!(f.contact.number_live);
    tx!(house, |tx| {
        tx.put_setting(Setting::KillSwitch, "").await?;
        tx.delete_campaign(h.campaign, h.now).await?;
    });
    assert!(facts(row.id, h.trunk, "+15550009999").await.is_none(), "a deleted campaign arms nothing");
}
