//! Notices that share the text that an office prints below them, and differ in one sentence.

/// The common text of an office, and pairs of sentences that stand above it in two notices.
pub struct Office {
    pub name: &'static str,
    pub below: &'static str,
    pub pairs: &'static [[&'static str; 2]],
}

pub const OFFICES: [Office; 9] = [
    Office {
        name: "English",
        below: "The notice is put up at the door of the office and takes effect on the day on which it is read. Those who think that it is wrong \
                may write to the clerk, who will look at what they say and answer within a few weeks. The file can be seen on working days, \
                and a small fee is due for each page that is copied. The office is shut on public holidays, and letters are read in the order \
                in which they come in. People who cannot come may send a friend with a letter that says so. What the office holds about a \
                person is kept for as long as the law says, and then it is burnt. All notices of the year are kept in a book at the front \
                desk, and may be read there by all who wish to see them, without a fee and without giving a name.",
        pairs: &[
            [
                "A school was shut after a fire in the night.",
                "The road over the pass is shut for works.",
            ],
            [
                "The firm will stop work and let its people go.",
                "Eleanor Whitcombe of Hexham has died aged 88.",
            ],
            ["A man was lost at sea.", "The tanker Golden Reef sank off Muscat."],
            [
                "In the case of Daniel Pryce, sentence was put off.",
                "In the case of Daniel Price, sentence was put off.",
            ],
            [
                "The funeral of Johanna Kessel is on Friday.",
                "The funeral of Johanne Kessel is on Friday.",
            ],
            ["Johnston died at home in the spring.", "Johnson died at home in the spring."],
            ["The family of Evan Holt asks for quiet.", "The family of Owen Holt asks for quiet."],
            ["Brann 2 Viking 1", "Brann 1 Viking 2"],
            ["Brann beat Viking in the cup.", "Viking beat Brann in the cup."],
            [
                "Gold went to Norway and silver to Sweden.",
                "Gold went to Sweden and silver to Norway.",
            ],
            [
                "The claim of Norvia against Taltec was heard.",
                "The claim of Taltec against Norvia was heard.",
            ],
            [
                "Shares of Norvia begin to trade in Oslo.",
                "Shares of Taltec begin to trade in Oslo.",
            ],
            [
                "The euro stands at 1.08 and the pound at 1.27.",
                "The euro stands at 1.27 and the pound at 1.08.",
            ],
            ["The rate of the bank is -0.5 percent.", "The rate of the bank is 0.5 percent."],
            ["The fine is $40 million.", "The fine is £40 million."],
            ["The fine is 7 million.", "The fine is 7 billion."],
            [
                "The bond is now rated BB+ by the agency.",
                "The bond is now rated BB- by the agency.",
            ],
            ["Turnout was 41 percent of the town.", "Turnout was 41 people of the town."],
            [
                "The water of the lake is safe to drink.",
                "The water of the lake is not safe to drink.",
            ],
            ["The bridge will open on Sunday.", "The bridge will never open on Sunday."],
            ["A red warning of rain is in force.", "A red warning of heat is in force."],
            ["A red warning of rain is in force.", "An orange warning of rain is in force."],
            [
                "A tsunami warning for the east coast was issued.",
                "A tsunami warning for the east coast was lifted.",
            ],
            [
                "The quake was felt far to the east of the town.",
                "The quake was felt far to the west of the town.",
            ],
            ["The firm will hire a hundred people.", "The firm will fire a hundred people."],
            [
                "The jury found that the man was guilty.",
                "The jury found that the man was innocent.",
            ],
            [
                "Jars of honey are called back for glass in them.",
                "Jars of mustard are called back for glass in them.",
            ],
            [
                "Bags of rye are called back for glass in them.",
                "Bags of soy are called back for glass in them.",
            ],
            ["The board will raise the price of bread.", "The board will cut the price of bread."],
            [
                "Wanted for theft: a tall man with a beard.",
                "Wanted for theft: a short man with a scar.",
            ],
            ["The clinic seeks a nurse for the night.", "The clinic seeks a cook for the night."],
            ["Bids for the bridge are due on 3 June.", "Bids for the bridge are due on 17 June."],
            [
                "Schools stay closed on Monday for snow.",
                "Schools stay closed on Thursday for snow.",
            ],
            ["Forty-one firms were put on the list.", "Forty-two firms were put on the list."],
            [
                "Seventeen people were hurt at the fair in Molde.",
                "Seventy people were taken ill at the fair in Voss.",
            ],
            ["CVE-2026-1187 — A flaw lets others in.", "CVE-2026-4402 — A flaw lets others in."],
            [
                "MV GREEN COAST (IMO 9201122) — The ship was held.",
                "MV BLUE COAST (IMO 9355677) — The ship was held.",
            ],
            [
                "R v HOLROYD - Listed for sentence at ten.",
                "R v MARCHANT - Listed for sentence at ten.",
            ],
            [
                "FLOOD WARNING (Tyne Valley): leave low ground.",
                "FLOOD WARNING (Wear Valley): leave low ground.",
            ],
            ["KENT COUNTY — A gas leak was found.", "ESSEX COUNTY — A gas leak was found."],
            [
                "By order of Judge Ellen Crewe\n\nThe firm is wound up.",
                "By order of Judge Paul Drake\n\nThe firm is wound up.",
            ],
            [
                "Published against Norvia Limited of Oslo\n\nIt is wound up.",
                "Published against Taltec Limited of Bergen\n\nIt is wound up.",
            ],
            ["Copyright claim of Norvia was heard.", "Copyright claim of Taltec was heard."],
            [
                "Named reporter of the year: Ida Solheim of Voss\n\nHers is the prize.",
                "Named reporter of the year: Tor Lunde of Molde\n\nHers is the prize.",
            ],
            ["This is about Norvia. Next: Taltec.", "This is about Taltec. Before: Norvia."],
            [
                "On the list of today is Norvia of Oslo.",
                "On the list of today are Norvia of Oslo and Taltec of Bergen.",
            ],
        ],
    },
    Office {
        name: "German",
        below: "Die Mitteilung hängt an der Tür des Amtes und gilt von dem Tag an, an dem sie gelesen wird. Wer sie für falsch hält, kann dem \
                Amt schreiben, das innerhalb weniger Wochen antwortet. Die Akte kann an Werktagen eingesehen werden, und für jede Seite, die \
                kopiert wird, ist eine kleine Gebühr fällig. Das Amt ist an Feiertagen geschlossen, und Briefe werden in der Reihenfolge \
                gelesen, in der sie eintreffen. Wer nicht kommen kann, darf einen Freund mit einem Brief schicken. Was das Amt über jemanden \
                weiß, wird so lange aufbewahrt, wie das Gesetz es verlangt.",
        pairs: &[
            [
                "Von Hagenow, Karl, geboren in Kiel\n\nGesucht wegen Betrugs.",
                "Von Trotha, Emil, geboren in Bonn\n\nGesucht wegen Betrugs.",
            ],
            ["Das Wasser im See ist trinkbar.", "Das Wasser im See ist nicht trinkbar."],
            ["Es gibt eine Warnung vor Sturm.", "Es gibt keine Warnung vor Sturm."],
            [
                "Im Kreis Stormarn fällt der Unterricht aus.",
                "Im Kreis Plön fällt der Unterricht aus.",
            ],
            ["Der Hersteller ruft einen Toaster zurück.", "Der Hersteller ruft einen Föhn zurück."],
            ["Die Straße ist wegen Bauarbeiten gesperrt.", "In der Nacht brannte eine Schule ab."],
        ],
    },
    Office {
        name: "French",
        below: "Cet avis est affiché à la porte du bureau et prend effet le jour où il est lu. Ceux qui pensent qu'il est faux peuvent écrire au \
                greffier, qui regarde ce qu'ils disent et répond en quelques semaines. Le dossier peut être vu les jours ouvrables, et une \
                petite taxe est due pour chaque page copiée. Le bureau est fermé les jours fériés, et les lettres sont lues dans l'ordre où \
                elles arrivent. Ceux qui ne peuvent pas venir peuvent envoyer un ami avec une lettre qui le dit.",
        pairs: &[
            ["La plage est ouverte aux baigneurs.", "La plage est fermée aux baigneurs."],
            ["Une école a brûlé pendant la nuit.", "La route du col est barrée pour des travaux."],
            ["Obsèques de Jeanne Morvan vendredi.", "Obsèques de Jeanne Morand vendredi."],
        ],
    },
    Office {
        name: "Spanish",
        below: "Este aviso se pone en la puerta de la oficina y vale desde el día en que se lee. Quien crea que es falso puede escribir al \
                secretario, que mira lo que dice y responde en pocas semanas. El expediente se puede ver los días de trabajo, y se debe una \
                pequeña tasa por cada hoja copiada. La oficina está cerrada los días de fiesta, y las cartas se leen en el orden en que \
                llegan. Quien no pueda venir puede mandar a un amigo con una carta que lo diga.",
        pairs: &[
            ["El agua del lago es potable.", "El agua del lago no es potable."],
            ["Se busca a Ramón Ibarra por robo.", "Se busca a Ramón Ibarro por robo."],
            ["Una escuela ardió anoche.", "El camino del puerto está cortado por obras."],
        ],
    },
    Office {
        name: "Russian",
        below: "Сообщение висит на двери ведомства и действует с того дня, когда его прочли. Кто считает его неверным, может написать секретарю, \
                который ответит через несколько недель. Дело можно посмотреть в рабочие дни, и за каждую страницу надо немного заплатить. \
                Ведомство закрыто по праздникам, и письма читают в том порядке, в каком они приходят. Кто не может прийти, может послать \
                друга с письмом. То, что ведомство знает о человеке, хранится столько, сколько говорит закон.",
        pairs: &[
            ["Суд отпустил Смирнова под залог.", "Суд отпустил Смирнову под залог."],
            ["Ночью сгорела школа.", "Ночью сгорела больница."],
            ["Вода в озере пригодна для питья.", "Вода в озере не пригодна для питья."],
            ["Дорога через перевал закрыта.", "Ночью была сильная гроза, есть разрушения."],
        ],
    },
    Office {
        name: "Ukrainian",
        below: "Повідомлення висить на дверях установи і діє з того дня, коли його прочитали. Хто вважає його хибним, може написати секретареві, \
                який відповість через кілька тижнів. Справу можна подивитися в робочі дні, і за кожну сторінку треба трохи заплатити. \
                Установа зачинена на свята, і листи читають у тому порядку, в якому вони надходять. Хто не може прийти, може послати друга \
                з листом. Те, що установа знає про людину, зберігається стільки, скільки каже закон.",
        pairs: &[
            ["Уночі згоріла школа.", "Уночі згоріла лікарня."],
            ["Суд відпустив Бондаренка під заставу.", "Суд відпустив Бондарчука під заставу."],
        ],
    },
    Office {
        name: "Chinese",
        below: "本公告张贴在办公室门口，自阅读之日起生效。认为有误的人可以写信给书记员，书记员会在几周内答复。档案可以在工作日查阅，每复印一页都要付一点费用。\
                办公室节假日休息，来信按照收到的先后顺序阅读。不能亲自前来的人可以请朋友带信来。办公室所掌握的个人资料按照法律规定的期限保存。",
        pairs: &[["湖水可以饮用。", "湖水不可以饮用。"], ["法院释放了张伟。", "法院释放了王伟。"]],
    },
    Office {
        name: "Japanese",
        below: "この通知は役所の入り口に掲示され、読まれた日から効力を持ちます。誤りがあると思う人は書記に手紙を書くことができ、数週間のうちに返事が届きます。\
                書類は平日に閲覧でき、写しには一枚ごとに少しの料金がかかります。役所は祝日に休みで、手紙は届いた順に読まれます。来られない人は友人に手紙を持たせて送ることができます。",
        pairs: &[
            ["佐藤さんが市長に選ばれた。", "加藤さんが市長に選ばれた。"],
            ["大雨警報が発表された。", "大雪警報が発表された。"],
        ],
    },
    Office {
        name: "Arabic and Korean",
        below: "يعلق هذا الإعلان على باب المكتب ويسري من يوم قراءته. ومن يرى أنه خطأ يمكنه أن يكتب إلى الكاتب الذي يجيب خلال أسابيع. ويمكن الاطلاع \
                على الملف في أيام العمل وتدفع رسوم قليلة عن كل صفحة. 이 공고는 사무실 문에 붙어 있으며 읽은 날부터 효력이 있습니다. 잘못되었다고 생각하는 \
                사람은 서기에게 편지를 쓸 수 있고 몇 주 안에 답을 받습니다. 서류는 평일에 볼 수 있고 복사한 쪽마다 작은 요금을 냅니다. 사무실은 공휴일에 쉽니다.",
        pairs: &[
            ["أفرجت المحكمة عن خالد.", "أفرجت المحكمة عن ماجد."],
            ["서울에 폭우 경보가 내려졌다.", "부산에 폭우 경보가 내려졌다."],
        ],
    },
];

/// Pairs of headlines over the same text, for two events.
pub const HEADLINES: [[&str; 2]; 9] = [
    ["Flood warning for Tyne Valley", "Flood warning for Wear Valley"],
    ["Obituary: Eleanor Whitcombe", "Obituary: Desmond Okafor"],
    ["Red warning of rain", "Red warning of snow"],
    ["Red warning of rain", "Amber warning of rain"],
    ["Court frees Marchant", "Court jails Marchant"],
    ["Brann beat Viking", "Viking beat Brann"],
    ["Lake water safe to drink", "Lake water not safe to drink"],
    ["Notice 14 of the clerk", "Notice 15 of the clerk"],
    ["Bond rated BB+", "Bond rated BB-"],
];

/// A report, and the copies of other outlets.
pub const REPORT: &str = "Fire broke out in the Harland mill at Skipton on Wednesday and killed 14 people, the county of North Yorkshire said. \
    Crews from Keighley and Bradford fought the flames for sixteen hours.\n\n\
    The mill, built in 1871, makes cloth for the Leeds firm Aldous Brothers. About 230 workers were inside when a boiler on the second floor \
    blew up, its manager Philippa Norden told the Craven Herald.\n\n\
    \"We heard a bang and then the roof came down,\" said Tomas Wierzba, 44, who jumped from a window with his colleague Anil Rao.\n\n\
    The Health and Safety Executive fined the owner $2 million in 2019 for blocked exits, and its inspector Grace Adeyemi warned in March that \
    the boilers were 5 percent over their limit.\n\n\
    Home Secretary Martin Vance travelled from London and promised an inquiry under Lord Pelham. The river Aire was coloured with dye two kilometres \
    downstream, the Environment Agency said.\n\n\
    Kiev and Warsaw offered help for the families of workers from Ukraine and Poland. Relatives gathered at Saint Andrew church, where the Red \
    Cross organised beds.";

/// Replacements in the report that make it no other story.
pub const REWRITES: [&[[&str; 2]]; 12] = [
    &[["14 people", "fourteen people"], ["sixteen hours", "16 hours"]],
    &[["two kilometres", "2 km"]],
    &[["$2 million", "2 million dollars"]],
    &[["5 percent", "5%"]],
    &[["5 percent", "5 per cent"]],
    &[
        ["travelled", "traveled"],
        ["coloured", "colored"],
        ["organised", "organized"],
        ["kilometres", "kilometers"],
    ],
    &[["Kiev", "Kyiv"]],
    &[["Tomas Wierzba", "Tomáš Wierzba"]],
    &[
        ["inspector", "inpector"],
        ["Bradford", "Bradfrod"],
        ["gathered", "gatherred"],
        ["window", "windwo"],
    ],
    &[[
        "Fire broke out in the Harland mill at Skipton on Wednesday and killed 14 people, the county of North Yorkshire said.",
        "Workers leapt from windows at Skipton as flames tore through the old mill of Aldous Brothers.",
    ]],
    &[[
        "\"We heard a bang and then the roof came down,\" said Tomas Wierzba, 44, who jumped from a window with his colleague Anil Rao.\n\n",
        "",
    ]],
    &[["the Craven Herald.", "the Craven Herald. Mayor Hugh Castell spoke of a black day."]],
];
