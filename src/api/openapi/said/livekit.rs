//! LiveKit, Twilio, assistants and numbers.

use super::{
    super::{
        bodies::{AssignBody, AssistantBody, CreateCallBody, CreateParticipantBody, DispatchBody, TrunkBody},
        rows::{
            calls::Asked,
            livekit::{Assistant, AssistantTrunk, Dispatched, Participant, PhoneNumber, ProvidedTrunk, Trunk},
            words::CallStatus,
        },
        schemas::{row, rows, text, text_or_null, uuid},
    },
    Answer, Body, LIVEKIT, NUMBERS, Said, say,
};

pub fn table() -> Vec<Said> {
    let of = |method, path, summary| say(LIVEKIT, method, path, summary);
    let number = |method, path, summary| say(NUMBERS, method, path, summary);
    vec![
        of("GET", "/livekit/outbound-calls/trunk/{assistant}", "The trunk that an assistant calls over").with::<AssistantTrunk>("trunk"),
        of("GET", "/livekit/outbound-calls/trunks", "Outbound trunks, and what differs at LiveKit")
            .more("One's own; for those who may assign numbers also those that nobody here holds. ")
            .key("trunks", rows::<Trunk>),
        of("POST", "/livekit/outbound-calls/create-trunk", "Make a number's outbound trunk, or adopt it")
            .more("One that is adopted answers 200. ")
            .takes::<TrunkBody>()
            .with::<ProvidedTrunk>("trunk")
            .misses()
            .made()
            .also(200),
        of("POST", "/livekit/outbound-calls/create-participant", "Call a number now")
            .takes::<CreateParticipantBody>()
            .with::<Participant>("participant")
            .misses()
            .once(),
        of("POST", "/livekit/outbound-calls/create-call", "Call a number now with an assistant")
            .takes::<CreateCallBody>()
            .key("callId", uuid)
            .key("roomName", text_or_null)
            .with::<CallStatus>("status")
            .misses()
            .once(),
        of("POST", "/livekit/outbound-calls/dispatch-agent", "Bring an agent into a call's room")
            .more("A room that has the agent answers the same dispatch. ")
            .takes::<DispatchBody>()
            .message()
            .with::<Asked>("request")
            .may_have("result", row::<Dispatched>)
            .misses()
            .also(202),
        of("POST", "/recording/status", "Twilio tells of a recording")
            .comes_as(Body::Twilio(&["RecordingSid", "CallSid", "RecordingStatus", "RecordingUrl", "RecordingDuration"]))
            .status(204)
            .answers(Answer::Nothing),
        of("POST", "/livekit/webhook", "LiveKit tells what happens in rooms").comes_as(Body::LiveKit).answers(Answer::Nothing),
        of("POST", "/livekit/room/{room}", "TwiML that sends a call into a room")
            .more("The literal `{roomName}` stands for a new room `in-<CallSid>`. ")
            .comes_as(Body::Twilio(&["CallSid", "From", "To"]))
            .answers(Answer::Text("text/xml")),
        number("GET", "/assistants", "One's assistants").list::<Assistant>("assistants"),
        number("POST", "/assistants", "Make an assistant").takes::<AssistantBody>().with::<Assistant>("assistant").conflicts().made(),
        number("GET", "/assistants/{id}", "An assistant").with::<Assistant>("assistant"),
        number("GET", "/phone-numbers", "One's numbers").list::<PhoneNumber>("phoneNumbers"),
        number("POST", "/phone-numbers/assign", "Give a number to an assistant, with all it needs at LiveKit")
            .takes::<AssignBody>()
            .key("phoneNumber", text)
            .key("assistantId", uuid)
            .with::<ProvidedTrunk>("trunk")
            .misses(),
    ]
}
