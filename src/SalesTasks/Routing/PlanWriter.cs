using System.Text;
using System.Text.Json;
using Npgsql;
using SalesTasks.Cli;
using SalesTasks.Database;

namespace SalesTasks.Routing;

/// <summary>
/// Writes a plan: the run with what it was made from, then chunk by chunk the assignments with their decisions, tasks and notices, then the
/// decisions that change nothing.
/// </summary>
internal sealed class PlanWriter(JobContext context, LoadedSituation loaded, RoutingSettings settings, RoutingPlan plan)
{
    /// <summary>Leads of one transaction: its locks last some tenths of a second.</summary>
    private const int ChunkSize = 2_000;

    /// <summary>Candidates of a lead that are kept; the chosen one is among them in any case.</summary>
    private const int KeptCandidates = 5;

    private readonly RoutingSituation _situation = loaded.Situation;
    private readonly Tally _tally = Tally.Empty;
    private readonly SortedDictionary<int, long> _given = [];
    private readonly HashSet<string> _touched = new(StringComparer.Ordinal);
    private long _runId;

    /// <summary>Whether the run would only repeat what was decided before.</summary>
    public async Task<bool> IsAsBeforeAsync(CancellationToken cancellationToken)
    {
        await using var connection = await context.Database.OpenAsync(cancellationToken);
        return await connection.ScalarStatementAsync<bool>(
            "routing/same_as_before",
            [
                ("leads", _situation.Leads.Select(lead => lead.LeadId).ToArray()),
                ("outcomes", Array.ConvertAll(plan.Decisions, decision => Words.Of(decision.Outcome))),
                ("reasons", Array.ConvertAll(plan.Decisions, decision => Words.Of(decision.Reason))),
            ],
            cancellationToken);
    }

    public async Task<Tally> WriteAsync(CancellationToken cancellationToken)
    {
        _runId = await context.Database.InTransactionAsync((connection, _, token) => StartAsync(connection, token), cancellationToken);
        foreach (var (number, chunk) in Chunks().Index())
        {
            // In their turn: where places have become fewer, the last ones are refused.
            var leads = chunk.Order().ToArray();
            Note(leads, await context.Database.InTransactionAsync(
                (connection, _, token) => AssignAsync(connection, number, leads, token), cancellationToken));
        }

        foreach (var rest in Enumerable.Range(0, _situation.Leads.Count).Where(lead => plan.Decisions[lead].Chosen is null).Chunk(ChunkSize * 5))
        {
            await context.Database.InTransactionAsync(
                (connection, _, token) => CopyDecisionsAsync(connection, rest, DecisionsOf(rest), token), cancellationToken);
            Note(rest, DecisionsOf(rest));
        }

        await context.Database.InTransactionAsync(
            (connection, _, token) => connection.ScalarStatementAsync<long>("routing/update_stats", [("reps", _touched.ToArray())], token),
            cancellationToken);
        await context.Database.InTransactionAsync((connection, _, token) => FinishAsync(connection, token), cancellationToken);
        return _tally;
    }

    private Decision[] DecisionsOf(int[] leads) => Array.ConvertAll(leads, lead => plan.Decisions[lead]);

    /// <summary>Counts what a transaction did, once it is committed.</summary>
    private void Note(int[] leads, Decision[] decisions)
    {
        for (var i = 0; i < leads.Length; i++)
        {
            _tally.Add(decisions[i]);
            if (decisions[i] is { Reason: RoutingReason.Best, Chosen: { } rep })
            {
                _given[rep] = _given.GetValueOrDefault(rep) + 1;
                _touched.Add(_situation.Reps[rep].Email);
                if (_situation.Leads[leads[i]].OwnerName is { } owner)
                {
                    _touched.Add(owner);
                }
            }
        }

        context.Advance(leads.Length);
    }

    /// <summary>The leads that go to somebody, together by rep, so that a rep's places are counted once or twice and not in every chunk.</summary>
    private IEnumerable<List<int>> Chunks()
    {
        var chunk = new List<int>();
        var byRep = Enumerable.Range(0, _situation.Leads.Count)
            .Where(lead => plan.Decisions[lead].Chosen is not null)
            .GroupBy(lead => plan.Decisions[lead].Chosen!.Value)
            .OrderBy(group => group.Key);
        foreach (var group in byRep)
        {
            foreach (var part in group.Chunk(ChunkSize))
            {
                if (chunk.Count > 0 && chunk.Count + part.Length > ChunkSize)
                {
                    yield return chunk;
                    chunk = [];
                }

                chunk.AddRange(part);
            }
        }

        if (chunk.Count > 0)
        {
            yield return chunk;
        }
    }

    private async Task<long> StartAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var run = await connection.ScalarStatementAsync<long>(
            "routing/start_run",
            [
                ("run_key", context.Run.IdempotencyKey), ("as_of", context.AsOf), ("settings", Json(settings.Write)), ("seed", _situation.Seed),
                ("products", _situation.Products.ToArray()), ("regions", _situation.Regions.ToArray()), ("typical_value", plan.Scores.Typical),
                ("team_win_rate", _situation.TeamWinRate), ("leads", _situation.Leads.Count), ("left_for_later", loaded.LeftForLater),
                ("expected_gain", plan.ExpectedGain), ("expected_gain_of_greedy", plan.GreedyGain), ("optimality_gap", plan.OptimalityGap),
            ],
            cancellationToken);
        await connection.CopyAsync(
            "routing/copy_run_reps",
            _situation.Reps.Index(),
            (row, item) =>
            {
                var (index, rep) = item;
                row.Write(run);
                row.Write(index);
                row.Write(rep.Email);
                row.Write(rep.Active);
                row.Write(rep.Absent);
                row.Write(rep.Capacity);
                row.Write(rep.Minimum);
                row.Write(rep.Load);
                row.Write(rep.OverdueTasks);
                row.Write(rep.Weight);
                row.Write(rep.Specialisations);
                row.Write(rep.Languages);
                row.Write(rep.Regions);
                row.Write(rep.Skill.Deals);
                row.Write(rep.Skill.Won);
                row.Write(rep.Skill.Overall);
                row.Write(rep.Skill.Products);
                row.Write(rep.Skill.Regions);
                row.Write(plan.Planned[index]);
                row.Write(plan.Scores.Money(plan.Prices[index]));
            },
            cancellationToken);
        await connection.CopyAsync(
            "routing/copy_run_classes",
            _situation.Classes.Index(),
            (row, item) =>
            {
                var excluded = plan.Scores.Excluded[item.Index].CountBy(e => e).ToDictionary();
                row.Write(run);
                row.Write(item.Index);
                row.Write(item.Item.Language);
                row.Write(item.Item.Region);
                row.Write(item.Item.Country);
                foreach (var reason in (Exclusion[])
                    [Exclusion.None, Exclusion.Inactive, Exclusion.Absent, Exclusion.Language, Exclusion.Region, Exclusion.Full])
                {
                    row.Write(excluded.GetValueOrDefault(reason));
                }
            },
            cancellationToken);
        return run;
    }

    /// <summary>Assigns a chunk as far as the plan still holds, and keeps its decisions.</summary>
    private async Task<Decision[]> AssignAsync(NpgsqlConnection connection, int chunk, int[] leads, CancellationToken cancellationToken)
    {
        var ids = Array.ConvertAll(leads, lead => _situation.Leads[lead].PipelineId);
        var reps = Array.ConvertAll(leads, lead => _situation.Reps[plan.Decisions[lead].Chosen!.Value].Email);
        await connection.ExecuteStatementAsync("routing/lock_reps", [("reps", reps.Distinct(StringComparer.Ordinal).ToArray())], cancellationToken);
        await connection.ExecuteStatementAsync("routing/lock_leads", [("ids", ids)], cancellationToken);
        await connection.ExecuteStatementAsync("routing/lock_tasks", [("ids", ids)], cancellationToken);
        var verdicts = await connection.QueryStatementAsync(
            "routing/assign",
            [
                ("ids", ids), ("reps", reps), ("owners", Array.ConvertAll(leads, lead => _situation.Leads[lead].OwnerName)),
                ("contacts", Array.ConvertAll(leads, LatestContactThatCounts)), ("capacity", settings.MaxActiveLeads), ("as_of", context.AsOf),
            ],
            row => row.GetString(0),
            cancellationToken);
        var decisions = leads.Select((lead, i) => verdicts[i] is "ok" ? plan.Decisions[lead] : Refused(lead, verdicts[i])).ToArray();
        await CopyDecisionsAsync(connection, leads, decisions, cancellationToken);
        await TellRepsAsync(connection, chunk, [.. leads.Where((_, i) => verdicts[i] is "ok")], cancellationToken);
        return decisions;
    }

    private async Task TellRepsAsync(NpgsqlConnection connection, int chunk, int[] given, CancellationToken cancellationToken)
    {
        if (given.Length == 0)
        {
            return;
        }

        (string, object?)[] leads =
        [
            ("ids", Array.ConvertAll(given, lead => _situation.Leads[lead].PipelineId)),
            ("reps", Array.ConvertAll(given, lead => _situation.Reps[plan.Decisions[lead].Chosen!.Value].Email)),
            ("owners", Array.ConvertAll(given, lead => _situation.Leads[lead].OwnerName)),
        ];
        await connection.ExecuteStatementAsync("routing/hand_over_tasks", [.. leads, ("as_of", context.AsOf)], cancellationToken);
        if (!context.Parameters.Get(RoutingJobs.OnlyUnassigned) && context.ConnectionIds is { Tasks: null, Calls: null })
        {
            // Where only the unassigned are served follow-up comes next, and makes the task that tells the rep. So it does where tasks and calls
            // go to other systems as well: it writes the task together with its messages.
            await connection.ExecuteStatementAsync("routing/create_tasks", [.. leads, ("as_of", context.AsOf), ("run_id", _runId)], cancellationToken);
        }

        if (context.ConnectionIds.Email is not null)
        {
            await connection.ExecuteStatementAsync("routing/notify_reps", [.. leads, ("run_id", _runId), ("chunk", chunk)], cancellationToken);
        }
    }

    /// <summary>A contact after it cancels the take-over; none does where the owner is not active any more.</summary>
    private DateTime LatestContactThatCounts(int lead) => _situation.Leads[lead] switch
    {
        // Npgsql's names for infinity and −infinity.
        { Kind: LeadKind.Orphaned } => DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc),
        { ContactedAt: { } at } => at.UtcDateTime,
        _ => DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc),
    };

    private Decision Refused(int lead, string verdict)
    {
        var outcome = _situation.Leads[lead].Kind is LeadKind.Stale || verdict is "taken" or "closed" ? RoutingOutcome.Kept : RoutingOutcome.Left;
        return new Decision(outcome, Words.Reason(verdict), plan.Decisions[lead].Chosen);
    }

    private Task CopyDecisionsAsync(NpgsqlConnection connection, int[] leads, Decision[] decisions, CancellationToken cancellationToken) => connection.CopyAsync(
        "routing/copy_decisions",
        leads.Index(),
        (row, item) =>
        {
            var lead = _situation.Leads[item.Item];
            var decision = decisions[item.Index];
            row.Write(lead.LeadId);
            row.Write(_runId);
            row.Write(lead.Value);
            row.Write(lead.Probability);
            row.Write(Words.Of(decision.Outcome));
            row.Write(Words.Of(decision.Reason));
            row.Write(lead.Class);
            row.Write(lead.SilentDays);
            row.Write(lead.OwnedDays);
            row.Write(decision.Chosen);
            row.Write(lead.Owner == RoutingLead.NoOwner ? (int?)null : lead.Owner);
            row.Write(lead.Product);
            row.Write(lead.Hops);
            row.Write(lead.ValueKnown);
            row.Write(item.Item);
            row.Write(Flat(plan.Candidates(item.Item, KeptCandidates)));
        },
        cancellationToken);

    private static float[] Flat(List<Candidate> candidates)
    {
        var flat = new float[candidates.Count * 5];
        var i = 0;
        foreach (var candidate in candidates)
        {
            flat[i++] = candidate.Rep;
            flat[i++] = (float)candidate.Score.Gain;
            flat[i++] = (float)candidate.Score.Specialisation;
            flat[i++] = (float)candidate.Score.Keeping;
            flat[i++] = (float)candidate.Price;
        }

        return flat;
    }

    private async Task FinishAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await connection.ExecuteStatementAsync("routing/finish_run", [("run_id", _runId), ("counts", _tally.ToJson())], cancellationToken);
        await RoutingNotice.QueueAsync(
            context, connection, _runId, _tally, _given.ToDictionary(g => _situation.Reps[g.Key].Email, g => g.Value, StringComparer.Ordinal),
            cancellationToken);
        await connection.ExecuteStatementAsync(
            "routing/thin_runs",
            [("before_at", context.AsOf.AddDays(-context.Parameters.Get(RoutingJobs.DecisionDetailDays)))],
            cancellationToken);
    }

    private static string Json(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            write(json);
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }
}
