//! Facts of several campaigns at once are those of each.

use std::collections::HashMap;

use dialdeck::{
    domain::{
        breaker::Answers,
        call::State,
        id::{AssistantId, CampaignId},
        stats::Pace,
    },
    store::{Setting, ZoneHead},
};

use super::{House, campaign};

databases!(what_is_read_of_several_campaigns_is_what_is_read_of_each, several_settings_are_read_at_once,);

/// The campaign of the house and another one, each with queues, talks and dials of its own.
async fn two(house: &House) -> [CampaignId; 2] {
    let (h, other) = (house.ids, CampaignId::fresh());
    tx!(house, |tx| tx.insert_campaign(&campaign(other, &h), h.after(1)).await?);
    for (id, zones, due, priority) in [(h.campaign, "a;", 5, 0), (h.campaign, "a;", 9, 1), (h.campaign, "b;", 2, 1), (other, "a;", 3, 0), (other, "c;", 7, 2)] {
        house.queue_in(id, |c| (c.zones, c.dialable_at, c.priority) = (zones.into(), h.after(due), priority)).await;
    }
    for silent in [false, true, true] {
        let call = house.talked(100, |_| {}).await;
        if silent {
            assert!(tx!(house, |tx| tx.set_abandoned(call.id, State::Completed, h.now).await?));
        }
    }
    let dials = |n| Pace { dials: n, ..Pace::default() };
    let minutes = [((h.campaign, 10), dials(3)), ((h.campaign, 11), dials(4)), ((other, 9), dials(5)), ((other, 11), dials(6))];
    tx!(house, |tx| tx.add_minutes(minutes.into()).await?);
    [h.campaign, other]
}

async fn what_is_read_of_several_campaigns_is_what_is_read_of_each(house: House) {
    let (h, store) = (house.ids, &house.store);
    let ids = two(&house).await;
    let asked = ids.iter().copied().chain([CampaignId::fresh()]).collect::<Vec<_>>();
    let (heads, queues) = (store.heads_of(&asked).await.unwrap(), store.queues_of(&asked, h.after(5)).await.unwrap());
    let answers = store.without_agent_of(&asked, h.after(-1000), h.after(1000)).await.unwrap();
    let dials = store.dials_of(&[(ids[0], 11), (ids[1], 9)], 12).await.unwrap();
    assert_eq!((heads.len(), queues.len(), answers.len(), dials.len()), (2, 2, 1, 2));
    let sorted = |mut heads: Vec<ZoneHead>| {
        heads.sort_by(|a, b| a.zones.cmp(&b.zones));
        heads
    };
    for id in ids {
        assert_eq!(sorted(heads[&id].clone()), sorted(store.zone_heads(id).await.unwrap()));
        let told = |queues: &[dialdeck::store::QueueCount]| queues.iter().map(|q| (q.zones.clone(), (q.pending, q.due))).collect::<HashMap<_, _>>();
        assert_eq!(told(&queues[&id]), told(&store.queues(id, h.after(5)).await.unwrap()));
        let one = store.without_agent(id, h.after(-1000), h.after(1000)).await.unwrap();
        assert_eq!(answers.get(&id).copied().unwrap_or_default(), one);
    }
    assert_eq!(answers[&ids[0]], Answers { answered: 3, abandoned: 2, last: 3, silent: 2 });
    assert_eq!((dials[&ids[0]], dials[&ids[1]]), (4, 11), "each from a minute of its own");

    let out = store.outgoing_of(&[h.assistant, AssistantId::fresh()]).await.unwrap();
    assert_eq!((out.len(), out[&h.assistant].caller_id.as_str()), (1, "+15550009999"));
    tx!(house, |tx| tx.put_number(h.owner, "+15550008888", h.assistant, "ST_1", "main", None, h.after(9)).await?);
    let (out, one) = (store.outgoing_of(&[h.assistant]).await.unwrap(), store.outgoing(h.assistant).await.unwrap().unwrap());
    assert_eq!((out[&h.assistant].caller_id.as_str(), one.caller_id.as_str()), ("+15550008888", "+15550008888"), "the newest");

    let newest = |rows: Vec<dialdeck::store::CampaignRow>| rows.into_iter().map(|r| r.id).collect::<Vec<_>>();
    assert_eq!(newest(store.newest_campaigns(h.owner, 9).await.unwrap()), [ids[1], ids[0]]);
    assert_eq!(newest(store.newest_campaigns(h.owner, 1).await.unwrap()), [ids[1]]);
    assert!(store.newest_campaigns(h.stranger, 9).await.unwrap().is_empty());
}

async fn several_settings_are_read_at_once(house: House) {
    let h = house.ids;
    let note = Setting::CampaignNote(h.campaign);
    tx!(house, |tx| {
        tx.put_setting(Setting::KillSwitch, "on").await?;
        tx.put_setting(Setting::EngineHealth, "").await?;
        tx.put_setting(note, "no worker").await?;
    });
    let store = house.store.at_once();
    let before = store.asked();
    let values = store.settings(&[Setting::KillSwitch, Setting::EngineHealth, note]).await.unwrap();
    assert_eq!(store.asked() - before, 2, "what is one for all, and what is somebody's");
    assert_eq!((values.get(Setting::KillSwitch), values.get(Setting::EngineHealth), values.get(note)), (Some("on"), None, Some("no worker")));
    assert_eq!(values.get(Setting::InstallationId), None, "it was not asked for");
    let others = house.store.of(h.stranger).at_once().settings(&[Setting::KillSwitch, note]).await.unwrap();
    assert_eq!(others.get(Setting::KillSwitch), Some("on"));
    assert_eq!(others.get(note).is_some(), !house.store.is_shared(), "somebody else's, where the database knows owners");
}
