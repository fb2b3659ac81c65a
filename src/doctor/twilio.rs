//! The way in from outside: the public URL leads to our listener, which takes what is signed with Twilio's token and
//! nothing else.

use std::time::Duration;

use super::{Finding, Patient};
use crate::{
    config::{is_loopback_url, shown},
    telephony::{probe::Probe, twilio::Form},
};

const PATIENCE: Duration = Duration::from_secs(8);

pub async fn public_url(p: &Patient) -> Vec<Finding> {
    let Some(url) = &p.config.public_url else {
        return vec![Finding::warning(
            "public_url_unset",
            "no public URL is configured: agents cannot report by outcomeUrl, and no webhook comes in; dialdeck works by polling alone",
            "set [listen] public_url (or BACKEND_URL, NGROK_URL) to the address under which this listener is seen from outside",
        )];
    };
    let (base, named) = (url.trim_end_matches('/'), shown("listen.public_url", url));
    let probe = match Probe::new(PATIENCE) {
        Ok(probe) => probe,
        Err(e) => return vec![Finding::bad("public_url", e, "this is a fault of dialdeck: please report it")],
    };
    let mut found = Vec::new();
    if is_loopback_url(url) && p.config.livekit.as_ref().is_some_and(|l| !is_loopback_url(&l.host)) {
        let words = format!("the public URL {named} is this machine's own: neither Twilio nor an agent elsewhere reaches it");
        found.push(Finding::warning("public_url_loopback", words, "set NGROK_URL or [listen] public_url to an address that is seen from outside"));
    }
    match probe.get(&format!("{base}/healthz")).await {
        Err(why) => found.push(Finding::bad(
            "public_url_away",
            format!("nothing answers at the public URL {named} ({why})"),
            "start `dialdeck serve`, and see that the proxy or tunnel leads to [listen] addr",
        )),
        Ok(answer) if answer.status != 200 => found.push(Finding::bad(
            "public_url_other",
            format!("the public URL {named} does not lead to dialdeck: /healthz answers HTTP {}", answer.status),
            "see that the proxy or tunnel leads to [listen] addr and leaves paths as they are",
        )),
        Ok(_) => {
            found.push(Finding::good("public_url", format!("{named} leads to a listener")));
            found.extend(round_trip(p, &probe, base).await);
        }
    }
    found
}

/// A call that Twilio would announce: it is answered with where to send it, and nothing is kept of it.
async fn round_trip(p: &Patient, probe: &Probe, base: &str) -> Option<Finding> {
    let token = p.config.twilio_tokens.first()?;
    let url = format!("{base}/api/v1/livekit/room/doctor");
    let form: Form = vec![("CallSid".to_owned(), "CAdoctor".to_owned())];
    let signed = probe.callback(&url, &form, Some(token.reveal())).await;
    let unsigned = probe.callback(&url, &form, None).await;
    let signed = match (signed, unsigned) {
        (Ok(signed), Ok(unsigned)) if unsigned.status == 403 => signed,
        (Ok(_), Ok(unsigned)) if unsigned.status == 503 => {
            return Some(Finding::bad("twilio_untold", "the running listener has no Twilio token", "restart it with TWILIO_AUTH_TOKEN set"));
        }
        (Ok(_), Ok(unsigned)) => {
            let words = format!("a callback without a signature is answered HTTP {} instead of being refused", unsigned.status);
            return Some(Finding::bad("twilio_unsigned", words, "what answers at the public URL is not dialdeck, or a proxy answers in its place"));
        }
        (Err(why), _) | (_, Err(why)) => return Some(Finding::bad("twilio_signature", format!("the round trip of a callback broke off: {why}"), "try again")),
    };
    Some(match signed.status {
        200 if signed.body.contains("<Response>") => Finding::good("twilio_signature", "a signed callback is taken, an unsigned one refused"),
        403 => Finding::bad(
            "twilio_signature",
            "the listener refuses a callback that is signed with our own token: the webhook URLs at Twilio would not work",
            "restart the listener with this TWILIO_AUTH_TOKEN and this public URL; a proxy must hand paths on unchanged",
        ),
        status => Finding::bad("twilio_signature", format!("a signed callback is answered HTTP {status}"), "look into the listener's log"),
    })
}

pub async fn account(p: &Patient) -> Vec<Finding> {
    let Some(token) = p.config.twilio_tokens.first() else {
        return vec![Finding::good("twilio_unset", "no TWILIO_AUTH_TOKEN: trunk calls need none, callbacks of Programmable Voice are refused")];
    };
    if p.config.twilio_account.is_empty() {
        let words = "TWILIO_ACCOUNT_SID is not set: Twilio's list of calls cannot be asked about a call in doubt";
        return vec![Finding::warning("twilio_account_unset", words, "set it, as Twilio's console has it")];
    }
    let asked = match Probe::new(PATIENCE) {
        Ok(probe) => probe.twilio_account(&p.config.twilio_api, &p.config.twilio_account, token.reveal()).await,
        Err(e) => Err(e),
    };
    vec![match asked {
        Ok(200) => Finding::good("twilio_account", "Twilio takes account and token"),
        Ok(401 | 403) => Finding::bad("twilio_login", "Twilio refuses the account's login", "check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN: they go together"),
        Ok(404) => Finding::bad("twilio_login", "Twilio knows no such account", "check TWILIO_ACCOUNT_SID"),
        Ok(status) => Finding::warning("twilio_rest", format!("Twilio's REST answers HTTP {status}"), "try again; status.twilio.com tells of outages"),
        Err(why) => Finding::warning("twilio_rest", format!("Twilio's REST cannot be asked ({why})"), "see that this host reaches api.twilio.com"),
    }]
}
