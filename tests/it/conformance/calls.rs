//! Calls: queued, claimed, armed, moved and listed.

use chrono::Duration;
use dialdeck::{
    domain::{
        call::{Basis, State},
        event::{CallEvent, Doubt, Kind, Leave, LegStatus, Source, Target},
        id::{CallId, ContactId, Incarnation},
        outcome::{Outcome, Who},
    },
    store::{CallFilter, CallRow, CallUpdate, NewCall, NewEvent, PaneQuery, PaneRow, Setting, StoreError},
};
use sqlx::types::Json;

use super::{FOREIGN, House, facts, ids, line_of, sorted};

databases!(
    rows_go_in_as_a_set_and_come_out_as_they_were,
    claims_are_in_order_and_held_by_one,
    a_claim_is_released_by_its_holder_alone,
    waiting_rows_are_canceled_and_claimed_ones_are_not,
    a_contact_has_one_open_call_in_a_campaign,
    a_number_rings_once_whoever_owns_the_call,
    open_calls_are_taken_over_by_an_engine,
    calls_are_listed_by_what_they_are,
    panes_show_what_is_open_and_what_ended_lately,
    what_waits_for_a_tag_is_the_oldest_first,
    outcomes_are_a_history,
    calls_move_as_a_set_from_the_state_in_which_they_were_read,
    a_set_of_500_moves_at_once,
    facts_are_stored_once_under_their_key,
    a_letter_that_a_database_has_not_costs_no_fact,
);

async fn rows_go_in_as_a_set_and_come_out_as_they_were(house: House) {
    let h = house.ids;
    assert_eq!(tx!(house, |tx| tx.insert_calls(h.owner, h.campaign, &[], h.now).await?), 0);
    let call = house.new_call(|c| {
        (c.phone_number, c.contact_name, c.contact_email, c.zones) = ("+442079460000".into(), FOREIGN.into(), FOREIGN.into(), FOREIGN.into());
        (c.contact_id, c.country, c.position, c.attempt) = (None, "GB".into(), i64::MAX, 3);
        (c.dialable_at, c.priority) = (h.now + Duration::microseconds(1), 1);
    });
    let wanted = call.clone();
    assert_eq!(tx!(house, |tx| tx.insert_calls(h.owner, h.campaign, &[call], h.after(1)).await?), 1);
    let row = house.store.call(h.owner, wanted.id).await.unwrap().unwrap();
    assert_eq!((row.id, row.user_id, row.campaign_id, row.contact_id), (wanted.id, h.owner, h.campaign, None));
    assert_eq!([&row.phone_number, &row.contact_name, &row.contact_email, &row.zones, &row.country], ["+442079460000", FOREIGN, FOREIGN, FOREIGN, "GB"]);
    assert_eq!((row.position, row.attempt, row.priority, row.dialable_at), (i64::MAX, 3, 1, wanted.dialable_at));
    assert_eq!((row.state, row.claim_number, row.charged, row.created_at, row.updated_at), (State::Pending, 0, true, h.after(1), h.after(1)));
    assert!(row.armed_at.is_none() && row.script.is_none() && row.trunk_id.is_none() && row.hangup_requested_at.is_none() && !row.leg_seen);
    assert_eq!(tx!(house, |tx| tx.call(wanted.id).await?).map(|r| r.id), Some(wanted.id));
    assert!(tx!(house, |tx| tx.call(CallId::fresh()).await?).is_none() && house.store.any_call(CallId::fresh()).await.unwrap().is_none());
    assert!(house.store.call(h.stranger, wanted.id).await.unwrap().is_none(), "another owner's");

    let many: Vec<NewCall> = (0..500).map(|_| house.new_call(|c| c.zones = "many".into())).collect();
    let order: Vec<CallId> = many.iter().map(|c| c.id).collect();
    assert_eq!(tx!(house, |tx| tx.insert_calls(h.owner, h.campaign, &many, h.now).await?), 500);
    let page = house.store.calls(h.campaign, &CallFilter::default(), 3, 498).await.unwrap();
    assert_eq!((ids(&page.rows), page.total), (vec![order[1], order[0], wanted.id], 501));
    let twice = try_tx!(house, |tx| {
        let again = NewCall { id: order[7], ..wanted };
        tx.insert_calls(h.owner, h.campaign, &[again], h.now).await?
    });
    assert!(matches!(twice, Err(StoreError::Unique)), "{twice:?}");
}

async fn claims_are_in_order_and_held_by_one(house: House) {
    let h = house.ids;
    let zone = |c: &mut NewCall| c.zones = "z".into();
    let late = house.queue(|c| (c.zones, c.dialable_at) = ("z".into(), h.after(3600))).await;
    let second = house.queue(|c| (c.zones, c.position) = ("z".into(), 90)).await;
    let first = house.queue(|c| (c.zones, c.position) = ("z".into(), 80)).await;
    let earlier = house.queue(|c| (c.zones, c.position, c.dialable_at) = ("z".into(), 99, h.after(-5))).await;
    let promised = house.queue(|c| (c.zones, c.priority, c.position) = ("z".into(), 1, 100)).await;
    house.queue(|c| (c.zones, c.priority) = ("z".into(), 2)).await;
    house.queue(|c| c.zones = "other".into()).await;
    let claim = async |limit, by, at| tx!(house, |tx| tx.claim(h.campaign, "z", limit, by, Duration::seconds(30), h.after(at)).await?);
    assert!(claim(0, h.mine, 0).await.is_empty());
    let rows = claim(2, h.mine, 0).await;
    assert_eq!(ids(&rows), [promised.id, earlier.id], "what was promised, then the head");
    let r = &rows[0];
    assert_eq!((r.state, r.claim_number, r.incarnation, r.lease_until, r.updated_at), (State::Claimed, 1, Some(h.mine), Some(h.after(30)), h.now));
    assert_eq!(format!("{r:?}"), format!("{:?}", house.call(r.id).await), "what is returned is what is stored");
    assert_eq!(ids(&claim(500, Incarnation::fresh(), 0).await), [first.id, second.id], "what is claimed is not claimed again");
    assert!(claim(500, h.mine, 0).await.is_empty());
    assert_eq!(ids(&claim(usize::MAX, h.mine, 3600).await), [late.id]);
    let many: Vec<NewCall> = (0..500).map(|_| house.new_call(zone)).collect();
    let order: Vec<CallId> = many.iter().map(|c| c.id).collect();
    tx!(house, |tx| tx.insert_calls(h.owner, h.campaign, &many, h.now).await?);
    assert_eq!(ids(&claim(500, h.mine, 0).await), order);
}

async fn a_claim_is_released_by_its_holder_alone(house: House) {
    let h = house.ids;
    let row = house.queue(|_| {}).await;
    let row = house.claim(&row).await;
    let release = async |number| tx!(house, |tx| tx.release(row.id, number, h.after(60), FOREIGN, h.after(1)).await?);
    assert!(!release(0).await && !release(2).await, "another claim's release does nothing");
    assert!(release(1).await && !release(1).await, "released once");
    let back = house.call(row.id).await;
    assert_eq!((back.state, back.incarnation, back.lease_until, back.dialable_at), (State::Pending, None, None, h.after(60)));
    assert_eq!((back.reason.as_str(), back.claim_number, back.updated_at), (FOREIGN, 1, h.after(1)));
    let again = house.claim(&back).await;
    assert!(!release(1).await, "an earlier claim");
    let armed = house.arm(&again, |_| {}).await;
    assert!(!release(2).await && house.call(armed.id).await.state == State::Armed, "armed is armed");
    assert!(!tx!(house, |tx| tx.release(CallId::fresh(), 1, h.now, "", h.now).await?));
}

async fn waiting_rows_are_canceled_and_claimed_ones_are_not(house: House) {
    let h = house.ids;
    let pending = async || tx!(house, |tx| tx.has_pending(h.campaign).await?);
    assert!(!pending().await);
    let claimed = house.queue(|_| {}).await;
    let claimed = house.claim(&claimed).await;
    let asked = house.queue(|c| c.priority = 2).await;
    assert!(!pending().await, "what is claimed or asked for by somebody is in no queue");
    let waiting = [house.queue(|_| {}).await, house.queue(|c| c.priority = 1).await, house.queue(|_| {}).await];
    assert!(pending().await);
    let cancel = async |limit| tx!(house, |tx| tx.cancel_pending(h.campaign, FOREIGN, limit, h.after(9)).await?);
    assert_eq!([cancel(2).await, cancel(500).await, cancel(500).await], [2, 1, 0]);
    for row in waiting {
        let row = house.call(row.id).await;
        assert_eq!((row.state, row.completed_at, row.charged, row.reason.as_str()), (State::Canceled, Some(h.after(9)), false, FOREIGN));
    }
    assert_eq!((house.call(claimed.id).await.state, house.call(asked.id).await.state), (State::Claimed, State::Pending));
    let of = async || tx!(house, |tx| (tx.claimed_of(h.campaign).await?, tx.count_open(h.campaign).await?));
    let (rows, open) = of().await;
    assert_eq!((ids(&rows), open), (vec![claimed.id], 0));
    house.arm(&claimed, |_| {}).await;
    let (rows, open) = of().await;
    assert_eq!((rows.len(), open), (0, 1));
    assert_eq!(tx!(house, |tx| tx.count_open(dialdeck::domain::id::CampaignId::fresh()).await?), 0);
}

async fn a_contact_has_one_open_call_in_a_campaign(house: House) {
    let h = house.ids;
    let contact = ContactId::fresh();
    let first = house.queue(|c| c.contact_id = Some(contact)).await;
    let second = house.new_call(|c| c.contact_id = Some(contact));
    let of = second.clone();
    let refused = try_tx!(house, |tx| tx.insert_calls(h.owner, h.campaign, &[of], h.now).await?);
    assert!(matches!(refused, Err(StoreError::Unique)), "{refused:?}");
    let other = house.campaign(|_| {}).await;
    house.queue_in(other, |c| (c.contact_id, c.phone_number) = (Some(contact), first.phone_number.clone())).await;
    // Rows of one number without a contact are each other's.
    let single = house.queue(|c| (c.contact_id, c.phone_number) = (None, "+15551".into())).await;
    let beside = house.queue(|c| (c.contact_id, c.phone_number) = (None, "+15551".into())).await;
    house.queue(|c| c.phone_number = "+15551".into()).await;
    let others = async |row: &CallRow| {
        let row = row.clone();
        tx!(house, |tx| ids(&tx.others_of_contact(&row).await?))
    };
    assert_eq!(others(&first).await, [], "of this campaign, and not itself");
    assert_eq!((others(&single).await, others(&beside).await), (vec![beside.id], vec![single.id]));
    let claimed = house.claim(&first).await;
    let armed = house.arm(&claimed, |_| {}).await;
    let ended = house.end(&armed, State::NoAnswer, 30, |_| {}).await;
    tx!(house, |tx| tx.insert_calls(h.owner, h.campaign, &[second], h.now).await?);
    assert_eq!(others(&ended).await.len(), 1);
    let newest = async |row: &CallRow| {
        let row = row.clone();
        tx!(house, |tx| tx.newest_of_contact(&row).await?).map(|r| r.id)
    };
    assert_eq!(newest(&ended).await, Some(others(&ended).await[0]));
    assert_eq!(newest(&single).await, None, "of no contact");
    // What was taken out of the queue since a moment, and rang nobody: of the contact, and of its number in any campaign.
    let waiting = house.store.any_call(others(&ended).await[0]).await.unwrap().unwrap();
    let waiting_id = waiting.id;
    let canceled = CallRow { state: State::Canceled, completed_at: Some(h.after(60)), charged: false, ..waiting.clone() };
    tx!(house, |tx| tx.update_calls(&[CallUpdate { was: &waiting, row: &canceled }], h.after(60)).await?);
    let since = async |at| {
        let row = ended.clone();
        ids(&tx!(house, |tx| tx.canceled_since(&row, at).await?))
    };
    assert_eq!((since(h.after(60)).await, since(h.after(61)).await), (vec![waiting_id], vec![]));
}

async fn a_number_rings_once_whoever_owns_the_call(house: House) {
    const NUMBER: &str = "+12025559999";
    let h = house.ids;
    let same = |c: &mut NewCall| c.phone_number = NUMBER.into();
    let (a, b) = (house.queue(same).await, house.queue(same).await);
    let theirs = house.new_call(same);
    let their_id = theirs.id;
    tx!(house, |tx| tx.insert_calls(h.stranger, h.campaign, &[theirs], h.now).await?);
    let (a, b) = (house.claim(&a).await, house.claim(&b).await);
    let a = house.arm(&a, |_| {}).await;
    let armed = house.armed(&b);
    let refused = try_tx!(house, |tx| tx.arm(&armed).await?);
    assert!(matches!(refused, Err(StoreError::Unique)), "the database itself refuses: {refused:?}");
    let of = async |owner| sorted(ids(&tx!(house, |tx| tx.unended_of_number(owner, NUMBER).await?)));
    assert_eq!((of(h.owner).await, of(h.stranger).await), (sorted([a.id, b.id]), vec![their_id]));
    let silence = async |numbers: &'static [&'static str]| sorted(ids(&tx!(house, |tx| tx.unended_to_silence(h.owner, numbers).await?)));
    assert_eq!((silence(&[]).await, silence(&["+1"]).await), (vec![], vec![]));
    assert_eq!(silence(&["+1", NUMBER]).await, sorted([a.id, b.id]));
    tx!(house, |tx| tx.put_setting(Setting::SharedDoNotCall, "on").await?);
    assert_eq!(silence(&[NUMBER, "+1"]).await, sorted([a.id, b.id, their_id]), "of all owners where they share a list");
    house.end(&a, State::Completed, 9, |_| {}).await;
    assert_eq!(of(h.owner).await, [b.id]);
}

async fn open_calls_are_taken_over_by_an_engine(house: House) {
    let h = house.ids;
    assert!(house.store.open_calls().await.unwrap().is_empty());
    house.queue(|_| {}).await;
    let claimed = house.queue(|_| {}).await;
    let claimed = house.claim(&claimed).await;
    let armed = house.dial(|_| {}).await;
    house.ended(State::Busy, 5, |_| {}).await;
    assert_eq!(ids(&house.store.open_calls().await.unwrap()), [claimed.id, armed.id]);
    let next = Incarnation::fresh();
    let others = async |mine| sorted(ids(&tx!(house, |tx| tx.calls_of_others(mine).await?)));
    assert_eq!((others(h.mine).await, others(next).await), (vec![], sorted([claimed.id, armed.id])));
    assert_eq!(tx!(house, |tx| [tx.adopt(next).await?, tx.adopt(next).await?]), [1, 0]);
    assert_eq!(
        (house.call(armed.id).await.incarnation, house.call(claimed.id).await.incarnation),
        (Some(next), Some(h.mine)),
        "what rings, not what is prepared"
    );
    assert_eq!(others(next).await, [claimed.id]);
}

async fn calls_are_listed_by_what_they_are(house: House) {
    let h = house.ids;
    let waiting = house.queue(|_| {}).await;
    let busy = house.ended(State::Busy, 5, |_| {}).await;
    let fault = house.ended(State::Unresolved, 5, |_| {}).await;
    let talked = house.talked(90, |r| r.outcome = Some(Outcome::Callback)).await;
    let list = async |status: Option<&str>, outcome| {
        let page = house.store.calls(h.campaign, &CallFilter { status: status.map(str::to_owned), outcome }, 10, 0).await.unwrap();
        assert_eq!(page.total, i64::try_from(page.rows.len()).unwrap());
        ids(&page.rows)
    };
    assert_eq!(list(None, None).await, [talked.id, fault.id, busy.id, waiting.id], "newest first");
    assert_eq!(list(Some("pending"), None).await, [waiting.id]);
    assert_eq!(list(Some("busy"), None).await, [busy.id]);
    assert_eq!(list(Some("failed"), None).await, [fault.id, busy.id], "all that did not come about");
    assert_eq!((list(None, Some(Outcome::Callback)).await, list(Some("pending"), Some(Outcome::Callback)).await), (vec![talked.id], vec![]));
    assert_eq!(list(Some(FOREIGN), None).await, []);
    let after = async |after, limit| ids(&house.store.calls_after(h.campaign, after, limit).await.unwrap());
    assert_eq!(after(None, 2).await, [waiting.id, busy.id]);
    assert_eq!((after(Some(busy.id), 500).await, after(Some(talked.id), 500).await), (vec![fault.id, talked.id], vec![]));
}

async fn panes_show_what_is_open_and_what_ended_lately(house: House) {
    let h = house.ids;
    let other = house.campaign(|c| c.name = FOREIGN.into()).await;
    house.queue(|_| {}).await;
    let claimed = house.queue_in(other, |c| c.contact_name = FOREIGN.into()).await;
    let claimed = house.claim(&claimed).await;
    let armed = house.dial(|_| {}).await;
    house.ended(State::Busy, 5, |_| {}).await;
    let busy = house.ended(State::Busy, 10, |r| (r.sip_code, r.reason) = (Some(486), "Busy Here".into())).await;
    let talked = house.talked(90, |r| (r.suggestion, r.suggestion_confidence) = (Some(Outcome::Voicemail), Some(0.25))).await;
    let pane = async |owner, campaign, limit| {
        let rows = house.store.live_pane(&PaneQuery { owner, campaign, ended_since: h.after(5), limit }).await.unwrap();
        rows.into_iter().map(|r| r.id).collect::<Vec<_>>()
    };
    let all = pane(h.owner, None, 500).await;
    assert_eq!((sorted(all[..2].to_vec()), &all[2..]), (sorted([claimed.id, armed.id]), &[talked.id, busy.id][..]));
    assert_eq!((pane(h.owner, Some(other), 500).await, pane(h.stranger, None, 500).await), (vec![claimed.id], vec![]));
    assert_eq!(pane(h.owner, Some(h.campaign), 1).await, [armed.id, talked.id], "so many of each");
    let row = house.store.pane_row(h.owner, claimed.id).await.unwrap().unwrap();
    assert_eq!((row.campaign_name.as_str(), row.contact_name.as_str(), row.state, row.armed_at), (FOREIGN, FOREIGN, State::Claimed, None));
    let row = house.store.pane_row(h.owner, talked.id).await.unwrap().unwrap();
    assert_eq!((row.answered_at, row.call_duration, row.suggestion, row.suggestion_confidence), (Some(h.after(30)), 60, Some(Outcome::Voicemail), Some(0.25)));
    assert!(house.store.pane_row(h.stranger, talked.id).await.unwrap().is_none());
    let results = house.store.recent_results(h.owner, h.after(5), 500).await.unwrap();
    assert_eq!(results, [(h.campaign, State::Completed, None, true), (h.campaign, State::Busy, Some(486), false)]);
    assert_eq!(house.store.recent_results(h.owner, h.after(5), 1).await.unwrap().len(), 1);
    assert_eq!(house.store.recent_results(h.stranger, h.after(0), 500).await.unwrap(), []);
}

async fn what_waits_for_a_tag_is_the_oldest_first(house: House) {
    let h = house.ids;
    let late = house.talked(200, |_| {}).await;
    let early = house.talked(100, |_| {}).await;
    house.talked(150, |r| r.outcome = Some(Outcome::Interested)).await;
    house.ended(State::NoAnswer, 40, |_| {}).await;
    house.dial(|_| {}).await;
    let queue = async |owner, campaign, limit| {
        let rows: Vec<PaneRow> = house.store.to_tag(owner, campaign, limit).await.unwrap();
        rows.into_iter().map(|r| r.id).collect::<Vec<_>>()
    };
    assert_eq!(queue(h.owner, None, 500).await, [early.id, late.id]);
    assert_eq!((queue(h.owner, Some(h.campaign), 1).await, queue(h.owner, Some(house.campaign(|_| {}).await), 9).await), (vec![early.id], vec![]));
    assert_eq!(queue(h.stranger, None, 500).await, []);
}

async fn outcomes_are_a_history(house: House) {
    let h = house.ids;
    let (call, other) = (house.talked(90, |_| {}).await.id, house.talked(91, |_| {}).await.id);
    assert!(house.store.outcomes(call).await.unwrap().is_empty());
    tx!(house, |tx| {
        line_of(tx, call, Some(Outcome::Callback), None, FOREIGN, Who::Agent, "", Some(0.75), h.after(1)).await?;
        line_of(tx, other, None, None, "", Who::Carrier, "", None, h.after(1)).await?;
        line_of(tx, call, None, Some(Outcome::Callback), "", Who::Operator, "Zoë", None, h.after(2)).await?;
    });
    let rows = house.store.outcomes(call).await.unwrap();
    assert!(rows[0].id < rows[1].id && rows.len() == 2);
    let r = &rows[0];
    assert_eq!((r.call_id, r.value, r.previous, r.note.as_str(), r.who, r.at), (call, Some(Outcome::Callback), None, FOREIGN, Who::Agent, h.after(1)));
    assert_eq!((rows[1].value, rows[1].previous, rows[1].by.as_str()), (None, Some(Outcome::Callback), "Zoë"));
    assert_eq!(tx!(house, |tx| tx.outcomes(call).await?).iter().map(|l| l.id).collect::<Vec<_>>(), [rows[0].id, rows[1].id]);
    // The moment of a callback stands with the last word, where that is a callback and no agent's.
    tx!(house, |tx| {
        tx.note_callback(call, h.after(9)).await?;
        line_of(tx, call, Some(Outcome::Callback), None, "", Who::Operator, "Zoë", None, h.after(3)).await?;
        line_of(tx, call, Some(Outcome::Callback), None, "", Who::Agent, "", None, h.after(4)).await?;
        tx.note_callback(call, h.after(9)).await?;
    });
    let moments: Vec<_> = house.store.outcomes(call).await.unwrap().iter().map(|l| l.callback_at).collect();
    assert_eq!(moments, [None, None, Some(h.after(9)), None]);
    let orphan = try_tx!(house, |tx| line_of(tx, CallId::fresh(), None, None, "", Who::Agent, "", None, h.now).await?);
    assert!(orphan.is_err(), "of no call");
}

/// Every column that moves.
fn moved(house: &House, was: &CallRow) -> CallRow {
    let h = house.ids;
    CallRow {
        state: State::Completed,
        reply_pending: false,
        participant_sid: Some("PA_\"1\"".into()),
        sip_call_id: Some("SCL_1".into()),
        call_sid: Some("CA1".into()),
        leg_seen: true,
        ringing_seen: true,
        rejoined: true,
        left_at: Some(h.now),
        left_reason: Some(Json(Leave::RoomDeleted)),
        left_status: Some(Json(LegStatus::Active)),
        ringing_at: Some(h.now),
        answered_at: Some(h.now + Duration::microseconds(1)),
        completed_at: Some(h.now + Duration::microseconds(999_999)),
        call_duration: i64::MAX,
        basis: Some(Basis::Carrier),
        sip_code: Some(486),
        reason: FOREIGN.into(),
        charged: false,
        outcome: Some(Outcome::Callback),
        outcome_who: Some(Who::Operator),
        outcome_by: Some(FOREIGN.into()),
        outcome_at: Some(h.now),
        suggestion: Some(Outcome::Interested),
        suggestion_confidence: Some(0.1),
        notes: format!("[1, {{}}] {}", FOREIGN.repeat(100)),
        lease_until: None,
        doubt: Some(Doubt::Network),
        ..was.clone()
    }
}

async fn calls_move_as_a_set_from_the_state_in_which_they_were_read(house: House) {
    let h = house.ids;
    let [ends, rings, noted] = [house.dial(|_| {}).await, house.dial(|_| {}).await, house.queue(|c| c.contact_id = None).await];
    tx!(house, |tx| tx.update_calls(&[], h.now).await?);
    let named = async |ids: Vec<CallId>, sids: &'static [&'static str], keys: &'static [&'static str]| {
        let (mut rows, keys) = tx!(house, |tx| tx.calls_named(&ids, sids, keys).await?);
        rows.sort_by_key(|r| r.id);
        (rows, keys)
    };
    assert_eq!(named(vec![], &[], &[]).await.0.len(), 0);
    let (were, _) = named(vec![ends.id, rings.id, noted.id, CallId::fresh()], &["CA0"], &[]).await;
    for (set, single) in were.iter().zip([&ends, &rings, &noted]) {
        assert_eq!(format!("{set:?}"), format!("{:?}", CallRow { script: None, ..single.clone() }), "by the set and by the row");
    }
    let are =
        [moved(&house, &ends), CallRow { state: State::Ringing, ringing_seen: true, ..rings.clone() }, CallRow { notes: "later".into(), ..noted.clone() }];
    let (to, from) = (are.clone(), [ends.clone(), rings.clone(), noted.clone()]);
    tx!(house, |tx| {
        let updates: Vec<_> = from.iter().zip(&to).map(|(was, row)| CallUpdate { was, row }).collect();
        tx.update_calls(&updates, h.after(9)).await?;
    });
    let (set, _) = named(vec![rings.id, noted.id, rings.id], &["CA1", "CA2"], &[]).await;
    assert_eq!(set.len(), 3);
    for (set, is) in set.iter().zip(are) {
        let wanted = format!("{:?}", CallRow { updated_at: h.after(9), script: None, ..is });
        assert_eq!(format!("{set:?}"), wanted);
        assert_eq!(format!("{:?}", CallRow { script: None, ..house.call(set.id).await }), wanted);
    }
    // What was set is taken away again.
    let ended = house.call(ends.id).await;
    let bare = house
        .change(&ended, |r| {
            (r.outcome, r.outcome_by, r.suggestion_confidence, r.left_reason, r.left_status, r.sip_code, r.notes) =
                (None, None, None, None, None, None, String::new());
        })
        .await;
    assert_eq!((bare.outcome, bare.outcome_by, bare.suggestion_confidence, bare.sip_code, bare.notes.as_str()), (None, None, None, None, ""));
    assert!(bare.left_reason.is_none() && bare.left_status.is_none() && bare.answered_at.is_some());
    // Whoever read it before that writes nothing, of the others in the same set neither.
    let late = try_tx!(house, |tx| {
        let (stale, other) = (CallRow { notes: "too late".into(), ..ends.clone() }, CallRow { notes: "too late".into(), ..noted.clone() });
        tx.update_calls(&[CallUpdate { was: &noted, row: &other }, CallUpdate { was: &ends, row: &stale }], h.after(10)).await?;
    });
    assert!(matches!(late, Err(StoreError::Busy(_))), "{late:?}");
    for id in [bare.id, set[2].id] {
        assert_ne!(house.call(id).await.notes, "too late");
    }
}

async fn a_set_of_500_moves_at_once(house: House) {
    let h = house.ids;
    let calls: Vec<NewCall> = (0..500).map(|_| house.new_call(|c| c.zones = "many".into())).collect();
    tx!(house, |tx| tx.insert_calls(h.owner, h.campaign, &calls, h.now).await?);
    let rows = tx!(house, |tx| tx.claim(h.campaign, "many", 500, h.mine, Duration::seconds(30), h.now).await?);
    let ids: Vec<CallId> = rows.iter().map(|r| r.id).collect();
    let (set, _) = tx!(house, |tx| tx.calls_named(&ids, &[], &[]).await?);
    assert_eq!(set.len(), 500);
    tx!(house, |tx| {
        let to: Vec<CallRow> =
            rows.iter().map(|r| CallRow { state: State::Canceled, completed_at: Some(h.now), reason: FOREIGN.into(), ..r.clone() }).collect();
        let updates: Vec<_> = rows.iter().zip(&to).map(|(was, row)| CallUpdate { was, row }).collect();
        tx.update_calls(&updates, h.now).await?;
    });
    let canceled = house.store.calls(h.campaign, &CallFilter { status: Some("canceled".into()), outcome: None }, 1, 0).await.unwrap();
    assert_eq!((canceled.total, canceled.rows[0].reason.as_str()), (500, FOREIGN));
}

async fn facts_are_stored_once_under_their_key(house: House) {
    let h = house.ids;
    let call = house.dial(|_| {}).await.id;
    let event = |key: &str, target| CallEvent {
        key: key.into(),
        target,
        source: Source::Livekit,
        at: h.after(1),
        kind: Kind::Leg { status: Some(LegStatus::Ringing), sid: FOREIGN.into(), call_sid: None, polled: false },
        raw: serde_json::json!({ "a": format!("\u{0}{FOREIGN}"), "n": null, "deep": [[1.5, true]] }),
    };
    tx!(house, |tx| facts(tx, &[], h.now).await?);
    let (one, two) = (event(FOREIGN, Target::Call(call)), event("b", Target::None));
    let both = [one.clone(), two.clone()];
    tx!(house, |tx| {
        let news = [NewEvent { event: &both[0], call: Some(call), moved: Some(State::Ringing) }, NewEvent { event: &both[1], call: None, moved: None }];
        facts(tx, &news, h.after(2)).await?;
    });
    let third = CallEvent { source: Source::Poll, ..event("c", Target::Call(call)) };
    let thirds = third.clone();
    let again = try_tx!(house, |tx| {
        let news = [NewEvent { event: &one, call: None, moved: None }, NewEvent { event: &thirds, call: Some(call), moved: None }];
        facts(tx, &news, h.after(3)).await?;
    });
    assert!(matches!(again, Err(StoreError::Busy(_))), "a second arrival is found, and nothing kept: {again:?}");
    tx!(house, |tx| facts(tx, &[NewEvent { event: &third, call: Some(call), moved: None }], h.after(3)).await?);
    let timeline = house.store.timeline(call).await.unwrap();
    assert!(timeline.len() == 2 && timeline[0].id < timeline[1].id);
    let t = &timeline[0];
    assert_eq!((t.source, &t.kind.0, t.at, t.received_at, t.applied.as_deref()), (Source::Livekit, &two.kind, h.after(1), h.after(2), Some("ringing")));
    assert_eq!((timeline[1].source, timeline[1].applied.as_deref()), (Source::Poll, None));
    assert!(house.store.timeline(CallId::fresh()).await.unwrap().is_empty());
    let (_, known) = tx!(house, |tx| tx.calls_named(&[], &[], &["b", FOREIGN, "z"]).await?);
    assert_eq!(sorted(known), sorted(["b".to_owned(), FOREIGN.to_owned()]));
    let many: Vec<CallEvent> = (0..500).map(|i| event(&format!("many {i}"), Target::None)).collect();
    tx!(house, |tx| {
        let news: Vec<_> = many.iter().map(|event| NewEvent { event, call: None, moved: None }).collect();
        facts(tx, &news, h.now).await?;
    });
    let known = tx!(house, |tx| tx.calls_named(&[], &[], &["many 0", "many 499", "many 500"]).await?.1);
    assert_eq!(sorted(known), ["many 0", "many 499"]);
}

async fn a_letter_that_a_database_has_not_costs_no_fact(house: House) {
    let row = house.queue(|c| (c.contact_name, c.zones) = ("a\u{0}b".into(), "z".into())).await;
    assert!(row.contact_name.starts_with('a'));
    let row = house.change(&row, |r| (r.reason, r.notes, r.outcome_by) = ("a\u{0}b".into(), "\\u0000".into(), Some("\u{0}".into()))).await;
    assert!(row.reason.starts_with('a') && row.notes == "\\u0000", "{:?}", row.reason);
    let (set, known) = tx!(house, |tx| tx.calls_named(&[row.id], &["CA\u{0}"], &["k\u{0}"]).await?);
    assert_eq!((set.len(), known.len()), (1, 0));
}
