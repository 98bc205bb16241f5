//! Families of reports of one form: a long common text, and different entries in a few slots.

/// A form: its text with `{}` for each slot, and the entries of its reports.
pub struct ReportForm {
    pub name: &'static str,
    text: &'static str,
    slots: &'static [&'static [&'static str]],
}

impl ReportForm {
    /// Its reports.
    pub fn reports(&self) -> Vec<String> {
        self.slots.iter().map(|slots| self.filled(slots)).collect()
    }

    fn filled(&self, slots: &[&str]) -> String {
        let mut parts = self.text.split("{}");
        let mut text = parts.next().unwrap_or_default().to_owned();
        let mut slots = slots.iter();
        for part in parts {
            text.push_str(slots.next().expect("a word for each slot"));
            text.push_str(part);
        }
        assert!(slots.next().is_none(), "{}: a slot for each word", self.name);
        text
    }
}

pub const FORMS: [ReportForm; 17] = [
    ReportForm {
        name: "designation",
        text: "The council today added {} to the list of persons and entities subject to restrictive measures.\n\n{}\n\nAs a result, all funds \
               and economic resources that belong to, are owned, held or controlled by the listed persons and entities are frozen. No funds \
               or economic resources may be made available, directly or indirectly, to them or for their benefit. The listed persons may \
               not enter or transit through the territory of the member states. Banks and other companies must report what they hold for \
               listed persons to the competent authority of their member state without delay. A request for removal from the list, with \
               documents that support it, may be sent to the council at any time. The measures expire after twelve months unless the \
               council renews them, and are kept under constant review.",
        slots: &[
            &["one person", "Andrei Volkov is the director of a shipyard in Kaliningrad."],
            &["one person", "Mahmoud Rostami leads a procurement office in Isfahan."],
            &["two entities", "Baltic Gate and Norvik Trading arranged the shipments."],
            &["one person", "Olga Sidorova signed the contracts of a plant at Tula."],
        ],
    },
    ReportForm {
        name: "vulnerability notice",
        text: "The agency has added one flaw to its catalogue of flaws that attackers are known to use.\n\n{}\n\nFlaws of this kind are often \
               the first step of an attack and are a serious risk to public networks. A standing order requires the bodies of the federal \
               government to mend what the catalogue lists by the date that it gives. Although the order binds only those bodies, the \
               agency urges every organisation to mend the flaws of the catalogue first and so to reduce the ways in which it can be \
               attacked. The agency goes on adding flaws that meet its criteria: they have a number, there is proof of their use, and there \
               is something that can be done about them.",
        slots: &[
            &["CVE-2026-10231 Northwind Gateway command injection"],
            &["CVE-2026-10877 Northwind Gateway command injection"],
            &["CVE-2026-11002 Harbor Mail path traversal"],
            &["CVE-2025-9914 Lumen Router buffer overflow"],
        ],
    },
    ReportForm {
        name: "food recall",
        text: "{} is recalling {} because it may contain {}, which the label does not name. People who are allergic to it run the risk of a \
               serious reaction if they eat the product. It was sold in shops across the country and can be known by the code that is \
               printed on the bottom of the package. No illness has been reported so far. The recall began when a check of the plant found \
               that the product had been packed in bags of another kind. Whoever bought it should not eat it and may bring it back to \
               the shop for a full refund. Questions are answered by telephone on weekdays between nine in the morning and five in the \
               afternoon.",
        slots: &[
            &["Hillside Bakery", "oat cookies", "milk"],
            &["Hillside Bakery", "ginger bread", "almonds"],
            &["Green Valley Foods", "lentil soup", "celery"],
            &["Corner Farm", "apple pie", "eggs"],
        ],
    },
    ReportForm {
        name: "court case",
        text: "A man was sentenced today in the federal court to {} in prison for his part in a scheme to evade taxes. {}, of {}, pleaded guilty \
               in March. According to documents filed in court, he kept two sets of books and paid workers in cash. The case was \
               investigated by the revenue service and prosecuted by the tax division. The sentence is followed by three years of \
               supervised release, and he was ordered to pay back what he owed with interest. The division has brought more than four \
               hundred cases of this kind in the last ten years, and asks people who know of similar schemes to come forward. A \
               form for that stands on its pages.",
        slots: &[
            &["18 months", "Peter Hanlon", "Springfield"],
            &["30 months", "Victor Amaya", "Fresno"],
            &["18 months", "Dennis Cole", "Tampa"],
        ],
    },
    ReportForm {
        name: "launch",
        text: "A rocket carried {} into orbit from the cape {}, the company said. The first stage landed on a ship in the ocean eight minutes \
               later. It was the {} flight of this booster. The satellites were released about an hour after the launch and will raise their \
               orbits over the next weeks with engines of their own. The company builds a network that brings the internet to places \
               where cables do not reach. Residents near the coast may have heard a sonic boom. The next launch depends on the weather \
               and on the state of the pad, and will be announced on the pages of the company.",
        slots: &[
            &["23 satellites", "on Tuesday evening", "ninth"],
            &["23 satellites", "on Friday morning", "tenth"],
            &["21 satellites", "on Sunday night", "twelfth"],
        ],
    },
    ReportForm {
        name: "earthquake",
        text: "An earthquake of magnitude {} struck {} km off {}, the geological survey said. Its centre was {} km below the sea. There were no \
               reports of damage or of people hurt. The warning centre for tsunamis said that there was no danger for the coasts of the \
               region. Quakes are frequent there, for the region lies on a belt of faults around the ocean at which plates of the crust \
               meet. The survey looks at first figures again when more stations have reported, and may change them by a little. People \
               who felt the quake are asked to report it.",
        slots: &[
            &["5.4", "61", "Tonga", "35"],
            &["5.1", "48", "Fiji", "10"],
            &["6.0", "112", "Vanuatu", "35"],
            &["5.4", "75", "Tonga", "88"],
        ],
    },
    ReportForm {
        name: "runway accident",
        text: "An {} of {} left the runway while landing at {}. The aircraft came to rest in the grass and its nose gear was damaged. There were \
               {} people on board, and nobody was hurt. It had rained before the accident and the wind came in gusts. The authority that \
               investigates accidents has sent a team and has asked that the recorders be kept. The airport was closed for some hours, and \
               flights were sent to others nearby. The airline said that it works with the authority and that its other flights are not \
               affected.",
        slots: &[
            &["Airbus A320", "Lanka Wings", "Jaffna", "144"],
            &["Airbus A321", "Sierra Air", "Cuzco", "171"],
            &["Embraer 190", "Norte Jet", "Manaus", "98"],
        ],
    },
    ReportForm {
        name: "earnings",
        text: "{} reported a profit of {} a share for the quarter, against {} a share a year before. Revenue {} to {} million. The company kept \
               its forecast for the year. Its board declared the usual dividend, to be paid next month to those who hold shares at the end \
               of this week. The chief executive said that demand was sound and that costs were under control. The figures leave out \
               items that occur once. Statements about the future rest on what the company expects today, and what happens may differ \
               from them for many reasons that its filings describe.",
        slots: &[
            &["Halden Corp", "1.12", "0.98", "rose", "812"],
            &["Merrow Inc", "0.45", "0.51", "fell", "96"],
            &["Tarn Holdings", "2.30", "2.11", "rose", "1,204"],
        ],
    },
    ReportForm {
        name: "storm warning",
        text: "The weather service in {} has issued a warning of severe thunderstorms for {} until {}. At the time of the warning a storm stood \
               near {} and moved east. Gusts of 60 miles an hour and hail are to be expected. Damage to roofs, cars and trees is likely. \
               For your own safety go to a room in the inside of a house on its lowest floor and stay away from windows. Lightning kills \
               more people than any other part of such storms: whoever can hear thunder is near enough to be struck. Do not drive \
               through water that stands on a road. The service will end the warning when the storm has passed.",
        slots: &[
            &["Wichita", "Butler County", "6:45 PM", "Augusta"],
            &["Wichita", "Butler County", "9:15 PM", "Towanda"],
            &["Topeka", "Shawnee County", "7:30 PM", "Auburn"],
        ],
    },
    ReportForm {
        name: "obituary",
        text: "{}, aged {}, of {} died at home among family. A memorial service will be held at the chapel on the hill, and the burial follows in \
               the old cemetery. In place of flowers, the family asks for gifts to the hospice that cared so well in the last weeks. \
               Friends may visit the family at the chapel on the evening before the service between five and eight. The family thanks the \
               nurses, the neighbours and all who have written. Words of comfort can be left in the book that lies open at the chapel and on \
               its pages. The chapel is in charge of the arrangements.",
        slots: &[
            &["Margaret Dunn", "84", "Ashford"],
            &["Harold Pike", "91", "Ashford"],
            &["Ruth Salter", "77", "Millbrook"],
        ],
    },
    ReportForm {
        name: "job notice",
        text: "The department seeks {} for its office in {}. The post is permanent and full time, and is paid by the scale for public servants. \
               You have a degree in a fitting field and at least three years of work behind you. You write well and like to work with \
               others. We offer thirty days of leave, a pension, and hours that fit with a family. Applications of women are welcome, and \
               so are those of people with disabilities. Send your letter, your record and two references by the end of the month. \
               Those who are invited to talk to us are told within four weeks. Costs of travel are not paid.",
        slots: &[
            &["an economist", "Hamburg"],
            &["a chemist", "Dresden"],
            &["a translator", "Hamburg"],
        ],
    },
    ReportForm {
        name: "ship arrest",
        text: "The {} (IMO {}) was arrested in {} at the request of a bank, a court paper shows. The vessel may not leave the port until security \
               is given or the claim is settled. A guard was put on board and the crew of {} is being supplied by the agent. If no security \
               is given within the time that the court sets, the vessel will be sold by auction. Owners and charterers did not answer \
               questions. Arrests of ships have become more frequent since freight rates fell, lawyers say, as lenders look for what can \
               be sold. Claims of crews for wages come before those of banks.",
        slots: &[
            &["Ocean Pearl", "9301122", "Durban", "21"],
            &["Star Medina", "9288456", "Durban", "19"],
            &["Golden Reef", "9155230", "Singapore", "22"],
        ],
    },
    ReportForm {
        name: "football result",
        text: "{} won {} at {} on Saturday. {} scored the first goal after half an hour, and the second fell late from a corner. The guests had \
               more of the ball after the break, but found no way through. The coach of the winners said that his team had worked hard \
               for it and that he was proud of every player. The other coach said that his team had to learn from its mistakes and would \
               look forward. The league takes a break of two weeks now for the matches of the national teams. Tickets for the next home \
               game are on sale from Monday at the usual places.",
        slots: &[
            &["Rovers", "2-0", "Albion", "Keane"],
            &["United", "2-1", "Wanderers", "Mbeki"],
            &["Athletic", "3-0", "County", "Silva"],
        ],
    },
    ReportForm {
        name: "incident at sea",
        text: "The office has received a report of an incident {} miles {} of {}. The master of a {} reports that {}. Vessel and crew are safe and \
               go on to the next port. The authorities are investigating. Vessels in the area are advised to pass with care and to report \
               anything unusual to the office. The office is the first point of contact for merchant vessels and keeps the link to the \
               naval forces in the region. It also runs the scheme under which vessels report their position by their own choice, and \
               asks all owners to take part in it.",
        slots: &[
            &["40", "south", "Mocha", "tanker", "two small craft came close"],
            &["25", "west", "Hodeidah", "container ship", "a drone fell near it"],
            &["70", "east", "Aden", "bulk carrier", "it was hailed by armed men"],
        ],
    },
    ReportForm {
        name: "approval of a medicine",
        text: "The committee has recommended that {} be approved for {}. The recommendation rests on a study with more than a thousand patients in \
               eleven countries. The most frequent side effects were headache and nausea. The commission will decide within two months, and \
               its decision holds in all member states. Each state then decides about price and payment by its own rules. The committee \
               publishes its reasons when the commission has decided. Detailed advice on use will stand in the summary of the product. The \
               maker must report on its safety every six months.",
        slots: &[
            &["Velorafen", "adults with asthma"],
            &["Cindraxol", "children with epilepsy"],
            &["Mabrituzin", "adults with psoriasis"],
        ],
    },
    ReportForm {
        name: "people missing",
        text: "{}, {}, was last seen in {} and the police ask for help. A search with dogs and a helicopter has found nothing so far. Whoever has \
               seen something is asked to call the station or the nearest office of the police at any hour. Please look into sheds and \
               garages on your own ground. The police ask people not to search by themselves in the woods, so that no tracks are lost. \
               Pictures may be shared, but please without guesses about what may have happened. The family is being cared for and asks \
               the press for distance. We will report here as soon as there is news.",
        slots: &[
            &["Emma Torres", "12", "Linden"],
            &["Jakob Stein", "67", "Arden"],
            &["Noor Haddad", "15", "Linden"],
        ],
    },
    ReportForm {
        name: "central bank, one word and one number",
        text: "The central bank of {} left its main rate at {} percent on Thursday, as economists had expected. It said that prices rose more \
               slowly than in the spring and that growth was moderate. The bank will look at the data from meeting to meeting and does \
               not bind itself to a path. Its next meeting is in six weeks. Loans to households grew a little, while those to firms \
               stood still. The currency hardly moved after the decision. The minutes of the meeting are published in two weeks and \
               will show how the members voted.",
        slots: &[&["Norway", "4.5"], &["Poland", "5.75"], &["Hungary", "6.5"]],
    },
];
