//! The installation: its switch, its terms, its health, this document.

use super::{
    super::{
        bodies::TermsBody,
        rows::installation::{Accepted, KillSwitch},
        schemas::{row_or_null, text},
    },
    Answer, INSTALLATION, Said, say,
};

pub fn table() -> Vec<Said> {
    let of = |method, path, summary| say(INSTALLATION, method, path, summary);
    vec![
        of("GET", "/kill-switch", "Whether the kill switch is on").with::<KillSwitch>("killSwitch"),
        of("POST", "/kill-switch", "No further dial on any host").with::<KillSwitch>("killSwitch"),
        of("DELETE", "/kill-switch", "Lift the kill switch").with::<KillSwitch>("killSwitch"),
        of("GET", "/terms", "The terms, and who accepted them").key("terms", text).key("accepted", row_or_null::<Accepted>),
        of("POST", "/terms", "Accept the terms, once for the installation").takes::<TermsBody>().with::<Accepted>("accepted").made(),
        of("GET", "/events", "One's calls and campaigns as they move, as server-sent events")
            .more("Goes on behind `Last-Event-ID`. ")
            .answers(Answer::Text("text/event-stream")),
        of("GET", "/metrics", "Figures for Prometheus").answers(Answer::Text("text/plain")),
        of("GET", "/openapi.json", "This document").answers(Answer::Document),
        of("GET", "/docs", "This document as a page").answers(Answer::Text("text/html")),
        of("GET", "/healthz", "200 once the listener listens").answers(Answer::Text("text/plain")),
        of("GET", "/readyz", "200 once the calls of the run before are looked after, and while rows can be written")
            .more("Else 503 with the reason. ")
            .not_yet()
            .answers(Answer::Text("text/plain")),
    ]
}
