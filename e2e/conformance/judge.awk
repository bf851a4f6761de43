# Judges a conformance run. Reads inexpressible.tsv (pair, scenario, check or *, clause, message), then verdicts.tsv (label,
# scenario, scored or unscored, failing checks with their messages). Prints a Markdown table; exits 1 if a scenario fails
# that is not on the list, or fails otherwise than the list says, or one on the list passes.

FNR == NR {
  if ($0 !~ /^#/ && NF >= 4) {
    listed[$1, $2]++
    message[$1, $2, $3] = $5
    excused_check[$1, $2, $3] = 1
    clause[$1, $2] = $4
  }
  next
}

{
  if (!($1 in known)) { known[$1] = 1; labels[++columns] = $1 }
  if (!($2 in rows)) { rows[$2] = 1; names[++count] = $2 }
  if ($3 == "unscored") mark[$2] = " (not scored)"
  total[$1, $3]++
  cell[$1, $2] = verdict($1, $2, $4)
  if (cell[$1, $2] == "pass") passed[$1, $3]++
  if (cell[$1, $2] == "inexpressible") excused[$1, $3]++
}

# The verdict on one scenario of one pair.
function verdict(pair, scenario, failing,    checks, check, n, i) {
  if (failing == "") {
    if (!listed[pair, scenario]) return "pass"
    wrong[++mistakes] = pair " " scenario ": passes, but is on the list of what cannot be expressed: take it off"
    return "**passes, listed**"
  }
  n = split(failing, checks, "\036")
  for (i = 1; i <= n; i++) {
    split(checks[i], check, "\037")
    if (!excuse(pair, scenario, check[1], check[2])) {
      wrong[++mistakes] = pair " " scenario ": " check[1] ": " substr(check[2], 1, 300)
      return "**fail**"
    }
  }
  reasons[++reasoned] = pair " " scenario ": " clause[pair, scenario]
  return "inexpressible"
}

# Whether the list has the check, and the suite says what the list says.
function excuse(pair, scenario, id, said) {
  if ((pair, scenario, id) in excused_check) return message[pair, scenario, id] == "" || message[pair, scenario, id] == said
  return (pair, scenario, "*") in excused_check
}

END {
  line = "| scenario |"; rule = "|---|"
  for (c = 1; c <= columns; c++) { line = line " " labels[c] " |"; rule = rule "---|" }
  print line; print rule
  for (r = 1; r <= count; r++) {
    line = "| " names[r] mark[names[r]] " |"
    for (c = 1; c <= columns; c++) line = line " " cell[labels[c], names[r]] " |"
    print line
  }
  print ""
  for (c = 1; c <= columns; c++) {
    pair = labels[c]
    printf "%s: scored %d/%d", pair, passed[pair, "scored"], total[pair, "scored"]
    if (excused[pair, "scored"]) printf " and %d inexpressible", excused[pair, "scored"]
    printf "; not scored %d/%d", passed[pair, "unscored"], total[pair, "unscored"]
    if (excused[pair, "unscored"]) printf " and %d inexpressible", excused[pair, "unscored"]
    print ""
  }
  for (i = 1; i <= reasoned; i++) print "inexpressible: " reasons[i]
  for (i = 1; i <= mistakes; i++) print "wrong: " wrong[i]
  if (count == 0) { print "wrong: nothing ran"; mistakes++ }
  exit mistakes > 0
}
