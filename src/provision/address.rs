//! Where a trunk goes: as asked for, else as configured, else where Twilio has the number's trunk.

use super::{Answer, Provision};
use crate::{
    desk::DeskError,
    domain::{
        phone::PhoneNumber,
        text::clean,
        trunk::{self, Reach},
    },
};

const GIVE: &str = "give address (such as NAME.pstn.twilio.com) or the id of a trunk at LiveKit, or set [trunk] address";

impl Provision {
    pub(super) async fn address(&self, number: &PhoneNumber, asked: &str) -> Answer<String> {
        let own = &self.own.address;
        let asked = asked.trim();
        if asked.is_empty() && own.is_empty() {
            return self.termination_domain(number).await;
        }
        if asked.is_empty() || asked.eq_ignore_ascii_case(own) {
            return Ok(own.clone());
        }
        let reach = if self.desk.rules().real_phones { Reach::Outside } else { Reach::Anywhere };
        Ok(trunk::address(asked, reach).map_err(|why| DeskError::field("address", why))?)
    }

    async fn termination_domain(&self, number: &PhoneNumber) -> Answer<String> {
        let found = match &self.twilio {
            None => Err("with TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN the number's trunk is looked up at Twilio".to_owned()),
            Some(twilio) => twilio.termination_domain(number.as_str()).await,
        };
        Ok(found.map_err(|why| DeskError::field("address", format!("{GIVE}; {}", clean(&why, 200))))?)
    }
}
