//! Campaigns.

use serde_json::json;

use super::{
    super::{
        bodies::{CampaignBody, NoBody, RecycleBody, StopBody},
        rows::{
            calls::Call,
            campaigns::{Campaign, CampaignStatus, Preflight, Stats},
        },
        schemas::{count, rows},
    },
    CALLS, CAMPAIGNS, Query, Said, say,
};

static STATUS: Query =
    Query { name: "status", words: "Only these", schema: || json!({ "type": "string", "enum": ["idle", "running", "paused", "completed", "error"] }) };

static FIELDS: Query = Query { name: "fields", words: "`prompt`: with the script of each", schema: || json!({ "type": "string", "enum": ["prompt"] }) };

static CALL_STATUS: Query = Query {
    name: "status",
    words: "Only these; `failed` finds no_answer, busy and canceled as well",
    schema: || json!({ "type": "string", "enum": ["pending", "calling", "answered", "completed", "failed", "no_answer", "busy", "canceled"] }),
};

static OUTCOME: Query = Query {
    name: "outcome",
    words: "Only these",
    schema: || json!({ "type": "string", "enum": ["interested", "not_interested", "callback", "do_not_call", "voicemail", "wrong_number"] }),
};

pub fn table() -> Vec<Said> {
    let of = |method, path, summary| say(CAMPAIGNS, method, path, summary);
    let calls = |tag, path| say(tag, "GET", path, "Calls of a campaign").asks(&CALL_STATUS).asks(&OUTCOME).list::<Call>("calls").key("data", rows::<Call>);
    vec![
        of("GET", "/campaigns", "One's campaigns").asks(&STATUS).asks(&FIELDS).list::<Campaign>("campaigns"),
        of("POST", "/campaigns", "Make a campaign").takes::<CampaignBody>().with::<Campaign>("campaign").made(),
        of("GET", "/campaigns/{id}", "A campaign").with::<Campaign>("campaign"),
        of("PUT", "/campaigns/{id}", "Change a campaign, also while it runs")
            .more("Column names are read as well as these; read-only ones that are unchanged are ignored. ")
            .takes::<CampaignBody>()
            .with::<Campaign>("campaign")
            .conflicts(),
        of("DELETE", "/campaigns/{id}", "Delete a campaign that does not run").message().conflicts(),
        of("POST", "/campaigns/{id}/start", "Start dialling")
            .more("Answers at once with what it found. `details.gate` is `terms` until the terms are accepted. ")
            .may_take::<NoBody>()
            .message()
            .with::<Campaign>("campaign")
            .with::<Preflight>("preflight")
            .conflicts()
            .once(),
        of("POST", "/campaigns/{id}/pause", "Start no further call").may_take::<NoBody>().message().with::<Campaign>("campaign").conflicts(),
        of("POST", "/campaigns/{id}/resume", "Go on").may_take::<NoBody>().message().with::<Campaign>("campaign").conflicts(),
        of("POST", "/campaigns/{id}/stop", "End the campaign; what waited is canceled")
            .may_take::<StopBody>()
            .message()
            .key("brokenPromises", count)
            .with::<Campaign>("campaign")
            .conflicts(),
        of("POST", "/campaigns/{id}/recycle", "Queue again whose last call ended so")
            .takes::<RecycleBody>()
            .message()
            .key("queued", count)
            .with::<Campaign>("campaign")
            .conflicts(),
        of("GET", "/campaigns/{id}/status", "A campaign, its figures and why nothing is dialled").with::<CampaignStatus>("campaign"),
        calls(CAMPAIGNS, "/campaigns/{id}/calls"),
        calls(CALLS, "/outbound-calls/campaign/{id}"),
        say(CALLS, "GET", "/outbound-calls/campaign/{id}/stats", "Figures of a campaign").with::<Stats>("stats"),
    ]
}
