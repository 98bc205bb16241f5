//! `tidings explain`: shows the text of a story that rules read, the rules that match it, and why a
//! rule does not match.

mod answer;
mod conditions;
mod json;
mod subject;
mod text;

use std::path::{Path, PathBuf};

use crate::cli::arguments::ConfigArgument;
use crate::cli::exit::Exit;
use crate::cli::format::OutputFormat;
use crate::cli::load::{unreadable_named_rules, unreadable_rules};
use crate::cli::moment::shown_zone;
use crate::cli::names::unknown_name;
use crate::cli::pages::ReadDepth;
use crate::cli::runtime::block_on;
use crate::cli::{load, output};
use crate::clock::now;
use crate::config::Config;
use crate::queries::names::any_names;
use crate::rule_files;
use answer::ExplainAnswer;
use conditions::{ExplainConditions, read_conditions};
use subject::ExplainSubject;
use tidings_rules::fault::nearest;
use tidings_rules::text::visible_line;
use tidings_rules::{Query, Rules};

/// The arguments of `tidings explain`.
#[derive(Debug, clap::Args)]
pub(super) struct ExplainArguments {
    /// The id or address of a stored story, any other address, a file, or `-` for standard input
    ///
    /// A file holds a page, a feed of one story, a JSON object with `title` and `body`, or plain
    /// text. The first line of a plain text is the headline if an empty line follows it.
    story: String,
    /// Explain this rule, clause by clause
    #[arg(long, value_name = "NAME", conflicts_with = "when")]
    rule: Option<String>,
    /// Explain one row of a rule with `each`
    #[arg(long, value_name = "ID", requires = "rule")]
    row: Option<String>,
    /// A rule file or a folder of them [default: the configuration's rules]
    #[arg(long, value_name = "FOLDER")]
    rules: Option<PathBuf>,
    /// An expression, as in a rule's `when`. It replaces the rules, and may name their term lists
    #[arg(long, value_name = "EXPR")]
    when: Option<String>,
    /// Read only the text that the feed gives. Do not read the page behind a teaser
    #[arg(long)]
    teaser: bool,
    /// Print the text that rules see: the headline, how much was read, an empty line, the text
    ///
    /// Without --rule, --when and --rules, nothing else is printed, and no rules are needed.
    /// Otherwise the text follows the explanation. Lines are not wrapped.
    #[arg(long)]
    text: bool,
    /// The format of the output
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
    #[command(flatten)]
    config: ConfigArgument,
}

/// The question about the story.
enum Question {
    /// Which rules match.
    All(Rules),
    /// How one rule decides, for one row if an id is given.
    One(Rules, String, Option<String>),
    /// How an expression decides.
    Expression(Query),
}

/// Explains a story: 65 if the rules or the expression do not load, or there is no such story, rule
/// or row.
pub(super) fn explain(arguments: &ExplainArguments) -> Exit {
    match prepare(arguments).and_then(|prepared| print_answer(arguments, prepared)) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn print_answer(arguments: &ExplainArguments, prepared: ExplainInput) -> Result<Exit, Exit> {
    let ExplainInput { question, subject, config } = prepared;
    let answer = question.map(|question| answer_question(question, &subject)).transpose()?;
    let conditions = match &answer {
        None => ExplainConditions::default(),
        Some(answer) => block_on(read_conditions(answer, &subject, config.as_ref(), now()))?,
    };
    match (arguments.format, &answer) {
        (OutputFormat::Json, answer) => {
            output::print_json([json::json_report(&subject, answer.as_ref(), &conditions)])?;
        }
        (OutputFormat::Text, None) => output::print(&text::format_story(&subject))?,
        (OutputFormat::Text, Some(answer)) => {
            let zone = shown_zone(config.as_ref());
            let report = text::ExplainText { subject: &subject, answer, conditions: &conditions };
            output::print(&report.format(arguments.text, &zone))?;
        }
    }
    Ok(Exit::Ok)
}

/// What is asked, and what it is asked about.
struct ExplainInput {
    /// `None`: only the text of the story is wanted.
    question: Option<Question>,
    subject: ExplainSubject,
    config: Option<Config>,
}

/// Reads the configuration, the rules and the story, as far as they are needed.
fn prepare(arguments: &ExplainArguments) -> Result<ExplainInput, Exit> {
    let named = arguments.when.is_some() || arguments.rules.is_some();
    let wants_only_text = arguments.text && !named && arguments.rule.is_none();
    let named = named || wants_only_text;
    let is_local = arguments.story == "-" || Path::new(&arguments.story).is_file();
    let needs_lists = arguments.rules.is_none()
        && arguments.when.as_deref().is_some_and(rule_files::may_name_lists);
    // If rules are named, a configuration is needed only to find the store. Term lists of an
    // expression come from it if it exists.
    let config = if named && (is_local && !needs_lists || !arguments.config.path.exists()) {
        None
    } else {
        Some(load::read_config_and_print_faults(&arguments.config.path)?)
    };
    let question =
        if wants_only_text { None } else { Some(load_question(arguments, config.as_ref())?) };
    let depth = if arguments.teaser { ReadDepth::Teaser } else { ReadDepth::Page };
    let subject = block_on(subject::find_subject(&arguments.story, config.as_ref(), depth))?;
    Ok(ExplainInput { question, subject, config })
}

fn load_question(arguments: &ExplainArguments, config: Option<&Config>) -> Result<Question, Exit> {
    let mut faults = Vec::new();
    let named = arguments.rules.as_deref();
    let path = named.or(config.map(|config| config.rules.as_path()));
    let unreadable = |why: String| match named {
        Some(path) => unreadable_named_rules(path, &why, Exit::Data),
        None => unreadable_rules(&why, Exit::Data),
    };
    let question = if let Some(expression) = &arguments.when {
        let query = rule_files::parse_query(expression, path, &mut faults).map_err(unreadable)?;
        query.map(Question::Expression)
    } else {
        let path = path.expect("without rules there is a configuration");
        let files = rule_files::read_rule_files(path).map_err(unreadable)?;
        let read_by_rules = config.map(any_names);
        let texts = rule_files::rule_texts(&files);
        let rules = Rules::load(&texts, read_by_rules.as_ref(), &mut faults);
        rules.map(|rules| match &arguments.rule {
            Some(name) => Question::One(rules, name.clone(), arguments.row.clone()),
            None => Question::All(rules),
        })
    };
    load::print_faults(&faults);
    question.ok_or(Exit::Data)
}

fn answer_question(question: Question, subject: &ExplainSubject) -> Result<ExplainAnswer, Exit> {
    let ExplainSubject { story, read, .. } = subject;
    Ok(match question {
        Question::Expression(query) => {
            let carriers = subject.carriers.as_deref().unwrap_or_default();
            ExplainAnswer::Clause(Box::new(query.explain(story, carriers, read)))
        }
        Question::All(rules) => {
            let carriers = subject.carriers.clone().unwrap_or_else(|| rules.every_carrier());
            ExplainAnswer::Matches(rules.matches(story, &carriers), rules.count())
        }
        Question::One(rules, name, row) => {
            let carriers = subject.carriers.clone().unwrap_or_else(|| rules.every_carrier());
            let explained = rules.explain(&name, row.as_deref(), story, &carriers, read);
            let explained =
                explained.ok_or_else(|| unknown_rule_or_row(&name, row.as_deref(), &rules))?;
            ExplainAnswer::Rule(Box::new(explained))
        }
    })
}

fn unknown_rule_or_row(name: &str, row: Option<&str>, rules: &Rules) -> Exit {
    if let Some(row) = row.filter(|_| rules.iter().any(|rule| rule.name() == name)) {
        let ids: Vec<&str> = rules
            .iter()
            .filter(|rule| rule.name() == name)
            .filter_map(|rule| rule.row().map(|row| row.id.as_str()))
            .collect();
        let help = match nearest(row, ids.iter().copied()) {
            Some(near) => format!("did you mean `{}`?", visible_line(near)),
            None => "alerts show the id of a row in parentheses; only rules with `each` have rows"
                .to_owned(),
        };
        let why = format!("the rule `{}` has no row `{}`", visible_line(name), visible_line(row));
        return output::fail_with_help(why, help, Exit::Data);
    }
    unknown_name("enabled rule", name, rules.iter().map(|rule| rule.name()))
}
