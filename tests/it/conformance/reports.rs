//! What is told of a call when it is over: reports and recordings.

use dialdeck::{
    domain::{
        call::State,
        id::CallId,
        outcome::{Line, Report, Who},
        recording::{Maker, News, Stage},
    },
    store::{CallRow, RecordingRow},
};

use super::{FOREIGN, House, sorted};

databases!(
    a_later_report_adds_and_a_machine_does_not_write_over_a_person,
    a_recording_is_told_of_in_any_order,
    recordings_are_calls_by_whatever_names_them,
    calls_are_asked_for_their_recording_once,
);

async fn a_later_report_adds_and_a_machine_does_not_write_over_a_person(house: House) {
    let h = house.ids;
    let call = house.talked(90, |_| {}).await.id;
    assert!(house.store.report(call).await.unwrap().is_none() && tx!(house, |tx| tx.report(call).await?).is_none());
    let put = async |report: Report, who, by: &'static str, at| tx!(house, |tx| tx.put_report(call, &report, who, by, h.after(at)).await?);
    let line = Line { role: "agent".into(), text: format!("{FOREIGN}\u{1}"), at: Some(h.now) };
    put(Report { summary: Some(FOREIGN.into()), answered_by: None, transcript: vec![line.clone()] }, Who::Agent, "", 1).await;
    let read = async || house.store.report(call).await.unwrap().unwrap();
    let r = read().await;
    assert_eq!((r.summary.as_deref(), r.answered_by, r.who, r.by.as_str(), r.at), (Some(FOREIGN), None, Who::Agent, "", h.after(1)));
    assert_eq!(r.transcript.unwrap().0, serde_json::json!([line]));
    put(Report { answered_by: Some("human".into()), ..Report::default() }, Who::Agent, "", 2).await;
    let r = read().await;
    assert_eq!((r.summary.as_deref(), r.answered_by.as_deref(), r.transcript.is_some(), r.at), (Some(FOREIGN), Some("human"), true, h.after(2)));
    put(Report { summary: Some("mine".into()), ..Report::default() }, Who::Operator, "Zoë", 3).await;
    put(Report { summary: Some("machine".into()), ..Report::default() }, Who::Agent, "", 4).await;
    let r = tx!(house, |tx| tx.report(call).await?).unwrap();
    assert_eq!((r.summary.as_deref(), r.who, r.by.as_str(), r.at), (Some("mine"), Who::Operator, "Zoë", h.after(3)));
    put(Report { summary: Some("again".into()), ..Report::default() }, Who::Operator, "Ana", 5).await;
    assert_eq!((read().await.summary.as_deref(), read().await.by.as_str()), (Some("again"), "Ana"));
    assert!(try_tx!(house, |tx| tx.put_report(CallId::fresh(), &Report::default(), Who::Agent, "", h.now).await?).is_err(), "of no call");
}

fn news(house: &House, sid: &str, call: Option<CallId>, call_sid: Option<&str>, stage: Stage, at: i64) -> News {
    News {
        sid: sid.into(),
        call,
        call_sid: call_sid.map(str::to_owned),
        maker: Maker::Twilio,
        stage,
        url: None,
        duration: None,
        reason: String::new(),
        at: house.ids.after(at),
    }
}

async fn put(house: &House, n: News) {
    tx!(house, |tx| tx.put_recording(&n).await?);
}

async fn recordings(house: &House, call: &CallRow) -> Vec<RecordingRow> {
    house.store.recordings(call).await.unwrap()
}

async fn a_recording_is_told_of_in_any_order(house: House) {
    let h = house.ids;
    let call = house.talked(90, |_| {}).await;
    assert!(recordings(&house, &call).await.is_empty());
    put(&house, News { reason: FOREIGN.into(), maker: Maker::Egress, ..news(&house, "EG_1", Some(call.id), None, Stage::InProgress, 1) }).await;
    let r = recordings(&house, &call).await.remove(0);
    assert_eq!((r.sid.as_str(), r.call_id, r.source, r.status, r.url, r.duration), ("EG_1", Some(call.id), Maker::Egress, Stage::InProgress, None, None));
    assert_eq!((r.reason.as_str(), r.created_at), (FOREIGN, h.after(1)));
    put(&house, News { url: Some(FOREIGN.into()), duration: Some(42), ..news(&house, "EG_1", None, None, Stage::Completed, 2) }).await;
    put(&house, news(&house, "EG_1", Some(CallId::fresh()), Some("CA9"), Stage::InProgress, 3)).await;
    let r = recordings(&house, &call).await.remove(0);
    assert_eq!(
        (r.call_id, r.status, r.url.as_deref(), r.duration, r.reason.as_str()),
        (Some(call.id), Stage::Completed, Some(FOREIGN), Some(42), ""),
        "one that has ended does not begin again"
    );
    let show = async || {
        tx!(house, |tx| tx.show_recording(call.id, h.after(9)).await?);
        house.call(call.id).await
    };
    assert_eq!((show().await.recording_url.as_deref(), house.call(call.id).await.updated_at), (Some(FOREIGN), h.after(9)));
    put(&house, News { url: Some("https://newer".into()), ..news(&house, "RE_2", Some(call.id), None, Stage::Completed, 5) }).await;
    put(&house, News { url: Some("https://failed".into()), ..news(&house, "RE_3", Some(call.id), None, Stage::Failed, 6) }).await;
    assert_eq!(show().await.recording_url.as_deref(), Some("https://newer"), "the newest that can be heard");
    let order: Vec<String> = recordings(&house, &call).await.into_iter().map(|r| r.sid).collect();
    assert_eq!(order, ["RE_3", "RE_2", "EG_1"]);
}

async fn recordings_are_calls_by_whatever_names_them(house: House) {
    let call = house.talked(90, |r| r.call_sid = Some("CA1".into())).await;
    let other = house.talked(90, |_| {}).await;
    put(&house, news(&house, "RE_1", None, Some("CA1"), Stage::Completed, 1)).await;
    put(&house, news(&house, "RE_2", None, Some("CA2"), Stage::Completed, 2)).await;
    put(&house, news(&house, "RE_3", None, None, Stage::Completed, 3)).await;
    let r = recordings(&house, &call).await;
    assert_eq!((r.len(), r[0].sid.as_str(), r[0].call_id), (1, "RE_1", None), "only its Twilio id names it");
    assert!(recordings(&house, &other).await.is_empty(), "without an id nothing is its");
    let link = async |sid: &'static str| tx!(house, |tx| tx.link_recording(sid).await?);
    assert_eq!((link("RE_1").await, link("RE_2").await, link("RE_3").await, link("RE_9").await), (Some(call.id), None, None, None));
    assert_eq!(recordings(&house, &call).await[0].call_id, Some(call.id), "linked from then on");
    let all = async |sid: &'static str| tx!(house, |tx| tx.link_recordings(other.id, sid).await?);
    assert!(all("CA2").await && !all("CA2").await && !all("CA1").await);
    assert_eq!(recordings(&house, &other).await[0].sid, "RE_2");
}

async fn calls_are_asked_for_their_recording_once(house: House) {
    let h = house.ids;
    let short = house.talked(90, |_| {}).await;
    house.ended(State::NoAnswer, 30, |_| {}).await;
    let on = house.dial(|_| {}).await;
    house.change(&on, |r| (r.state, r.answered_at) = (State::Answered, Some(h.after(5)))).await;
    house.dial(|_| {}).await;
    assert_eq!(house.store.unrecorded_calls().await.unwrap(), [on.id]);
    let unasked = async |since| sorted(house.store.unasked_calls(h.after(since)).await.unwrap());
    assert_eq!((unasked(0).await, unasked(5).await), (sorted([short.id, on.id]), vec![short.id]));
    let ask = async |call, due| tx!(house, |tx| tx.ask_recording(call, h.after(due)).await?);
    assert!(ask(short.id, 100).await && !ask(short.id, 1).await && ask(on.id, 50).await);
    assert!(house.store.unrecorded_calls().await.unwrap().is_empty() && unasked(0).await.is_empty());
    let due = async |at| house.store.recordings_due(h.after(at)).await.unwrap();
    assert_eq!((due(49).await, due(50).await, due(100).await), (vec![], vec![on.id], vec![on.id, short.id]), "the first due first");
    let take = async |now, until| tx!(house, |tx| tx.take_recording(short.id, h.after(now), h.after(until)).await?);
    assert!(!take(99, 200).await && take(100, 200).await && !take(100, 300).await, "put off by one");
    assert!(!tx!(house, |tx| tx.take_recording(CallId::fresh(), h.after(900), h.now).await?));
    let reason = async || house.store.recording_reason(short.id).await.unwrap();
    assert_eq!((reason().await.as_deref(), house.store.recording_reason(CallId::fresh()).await.unwrap()), (Some(""), None));
    tx!(house, |tx| tx.set_recording_task(short.id, Some(h.after(60)), "").await?);
    assert_eq!(due(60).await, [on.id, short.id]);
    tx!(house, |tx| tx.set_recording_task(short.id, None, FOREIGN).await?);
    assert_eq!((due(9000).await, reason().await.as_deref()), (vec![on.id], Some(FOREIGN)), "settled");
}
