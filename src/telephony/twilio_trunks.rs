//! Twilio's Elastic SIP trunks: by which host a number's trunk is called over.

use serde::Deserialize;

use super::twilio_rest::{Rest, escaped};
use crate::{
    config::Secret,
    domain::trunk::{self, Reach},
};

/// Reads the numbers and trunks of one account.
pub struct TwilioTrunks {
    rest: Rest,
    api: String,
    trunking: String,
}

#[derive(Debug, Deserialize)]
struct Numbers {
    incoming_phone_numbers: Vec<Number>,
}

#[derive(Debug, Deserialize)]
struct Number {
    phone_number: String,
    trunk_sid: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Trunk {
    domain_name: Option<String>,
}

impl TwilioTrunks {
    /// # Errors
    /// In words, when no client can be made.
    pub fn new(api_url: &str, account: &str, token: &Secret) -> Result<Self, String> {
        let api = api_url.trim_end_matches('/').to_owned();
        let trunking = trunking_url(&api);
        Ok(Self { rest: Rest::new(account, token)?, api, trunking })
    }

    /// The termination domain of the trunk that carries a number of the account.
    ///
    /// # Errors
    /// In words, when there is none or Twilio does not say.
    pub async fn termination_domain(&self, number: &str) -> Result<String, String> {
        let url = format!("{}/2010-04-01/Accounts/{}/IncomingPhoneNumbers.json?PhoneNumber={}", self.api, self.rest.account, escaped(number));
        let list: Numbers = self.rest.get(&url, "list of numbers").await?;
        // The filter of the question matches parts of numbers too.
        let found = list.incoming_phone_numbers.into_iter().find(|n| n.phone_number == number);
        let carried = found.ok_or("Twilio's account has no such number")?;
        let sid = carried.trunk_sid.filter(|s| !s.is_empty()).ok_or("the number is on no Elastic SIP trunk at Twilio")?;
        if !is_trunk_sid(&sid) {
            return Err("Twilio's answer names no trunk".to_owned());
        }
        let trunk: Trunk = self.rest.get(&format!("{}/v1/Trunks/{sid}", self.trunking), "trunk").await?;
        let domain = trunk.domain_name.filter(|d| !d.is_empty()).ok_or_else(|| format!("Twilio's trunk {sid} has no termination domain"))?;
        trunk::address(&domain, Reach::Outside).map_err(|why| format!("the termination domain that Twilio names {why}"))
    }
}

/// Trunks are asked for at a host of their own; a stand-in has one for both.
fn trunking_url(api: &str) -> String {
    if api.eq_ignore_ascii_case("https://api.twilio.com") { "https://trunking.twilio.com".to_owned() } else { api.to_owned() }
}

fn is_trunk_sid(sid: &str) -> bool {
    sid.len() == 34 && sid.starts_with("TK") && sid.bytes().skip(2).all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trunks_have_a_host_of_their_own() {
        assert_eq!(trunking_url("https://api.twilio.com"), "https://trunking.twilio.com");
        assert_eq!(trunking_url("http://127.0.0.1:7880"), "http://127.0.0.1:7880");
        assert!(is_trunk_sid("TK0123456789abcdef0123456789abcdef") && !is_trunk_sid("TK0123456789abcdef0123456789abcd/.") && !is_trunk_sid("TK"));
    }
}
