//! Single calls.

use super::{
    super::{
        bodies::{InitiateBody, ListenBody, OutcomeBody, ReportBody, TransferBody},
        rows::{
            calls::{Asked, Call, CallStory},
            words::CallStatus,
        },
        schemas::{anything, row, text_or_null, time_or_null, uuid},
    },
    Answer, Body, CALLS, Said, say,
};

pub fn table() -> Vec<Said> {
    let of = |method, path, summary| say(CALLS, method, path, summary);
    vec![
        of("POST", "/outbound-calls/status-callback", "Twilio tells how a leg goes")
            .more("An unknown CallSid is stored as well. ")
            .comes_as(Body::Twilio(&["CallSid", "CallStatus", "Timestamp", "CallDuration", "SipResponseCode"]))
            .status(204)
            .answers(Answer::Nothing),
        of("POST", "/outbound-calls/initiate", "Call a number now, by the same gates as a campaign")
            .more("`details.gate` says what refuses the dial, and until when. ")
            .takes::<InitiateBody>()
            .key("campaignCallId", uuid)
            .key("roomName", text_or_null)
            .with::<CallStatus>("status")
            .key("callSid", text_or_null)
            .misses()
            .made()
            .status(202)
            .once(),
        of("POST", "/outbound-calls/{id}/transfer", "Transfer the callee to a number, by SIP REFER")
            .takes::<TransferBody>()
            .message()
            .with::<Asked>("request")
            .conflicts()
            .also(202),
        of("POST", "/outbound-calls/{id}/listen", "Listen to a call")
            .more("On the supervisor's own phone, muted unless asked to speak, or by a short-lived token that only hears. ")
            .may_take::<ListenBody>()
            .message()
            .may_have("request", row::<Asked>)
            .may_have("listener", anything)
            .conflicts()
            .also(202),
        of("GET", "/outbound-calls/{id}", "A call with its timeline and evidence").with::<CallStory>("call"),
        of("PUT", "/outbound-calls/{id}/outcome", "Say how a call went")
            .more("An operator's word is final, an agent's is a suggestion; do_not_call counts at once from either. ")
            .takes::<OutcomeBody>()
            .message()
            .key("callbackAt", time_or_null)
            .with::<Call>("call")
            .conflicts(),
        of("POST", "/outbound-calls/{id}/report", "The agent's report").takes::<ReportBody>().message().conflicts(),
        of("POST", "/outbound-calls/{id}/hangup", "Hang up").message().with::<Call>("call").conflicts(),
    ]
}
