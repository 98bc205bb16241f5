-- How often a rule matched lately, and a row of a rule with `each`: an occasion is the row's id.
CREATE INDEX alert_occasion ON alert (rule, occasion, id);
DROP INDEX alert_rule;
