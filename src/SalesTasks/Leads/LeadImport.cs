using Npgsql;
using SalesTasks.Cli;
using SalesTasks.Database;
using SalesTasks.Encryption;

namespace SalesTasks.Leads;

/// <summary>Checks a row of a lead and stages it.</summary>
internal sealed class LeadRows(ImportSettings settings, BoundMapping mapping, ImportStaging staging) : IRowWriter
{
    private readonly bool _keepRecord = settings.OnDuplicate is "reject";

    public async Task<bool> WriteAsync(MappedRow row, int file, RecordReader reader)
    {
        row.Fault = row[LeadColumns.ExtId] is null ? RowFaults.Missing(LeadColumns.ExtId)
            : row[LeadColumns.Source] is null && settings.Source is null ? RowFaults.Missing(LeadColumns.Source)
            : null;
        if (row.Fault is not null)
        {
            return false;
        }

        mapping.ReadAttributes(row);
        var raw = _keepRecord ? reader.Raw : null;
        if (staging.Seal is { } seal)
        {
            row[LeadColumns.Phone] = row[LeadColumns.Phone] is string { Length: > 0 } phone ? seal.Phone(staging.ImportId, phone) : row[LeadColumns.Phone];
            raw = raw is null ? null : seal.Record(staging.ImportId, raw);
        }

        await staging.WriteAsync(row.Values, row.Attributes, (file, reader.Line, raw));
        return true;
    }
}

/// <summary>
/// Applies staged leads. First, over the whole run: rows with one id become one row, and rows under other names of a lead find it. Then in
/// batches: rows of leads that exist (first pass), after them the new ones (second pass), each matched against all people known by then.
/// The order makes the outcome independent of batches and interruptions.
/// </summary>
internal sealed class LeadImport(
    JobContext context, ImportSettings settings, ImportStaging staging, RejectFile rejects, IReadOnlyList<SourceFile> files, ImportCounts counts)
{
    private readonly string[] _erase = settings.Erased;
    private readonly LeadMatcher _matcher = new(settings.Match, fill: settings.OnDuplicate is "merge");
    private List<StagedPhone> _phones = [];
    private long _taken;

    private (string, object?) ImportId => ("import_id", staging.ImportId);

    public async Task ApplyAsync()
    {
        if (staging.Count == 0)
        {
            return;
        }

        counts.Repeated = await staging.BatchAsync(FoldAsync);
        await PassAsync(ApplyKnownAsync);
        await PassAsync(ApplyNewAsync);
        if (!counts.StoppedAtLimit)
        {
            await CheckCompleteAsync();
        }
    }

    private async Task<long> FoldAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var linked = await connection.ExecuteStatementAsync("leads/link_aliases", [ImportId], cancellationToken);
        await connection.ExecuteStatementAsync("leads/plan_whole_run", [], cancellationToken);
        var repeated = await connection.ScalarStatementAsync<long>("leads/fold_repeated", [ImportId, ("erase", _erase)], cancellationToken);
        if (linked > 0)
        {
            await connection.ExecuteStatementAsync("leads/fold_refusals", [ImportId], cancellationToken);
        }

        return repeated;
    }

    private async Task PassAsync(Func<NpgsqlConnection, long, long, CancellationToken, Task<Applied>> apply)
    {
        for (long first = 1; first <= staging.Count;)
        {
            var remaining = context.MaxLeads - counts.Written;
            if (remaining <= 0)
            {
                counts.StoppedAtLimit = true;
                return;
            }

            // No batch can write more than it has rows.
            var last = Math.Min(first + Math.Min(ImportStaging.BatchSize, remaining) - 1, staging.Count);
            var mark = rejects.Mark();
            var applied = await staging.BatchAsync(async (connection, token) =>
            {
                rejects.GoBack(mark);
                await connection.ExecuteStatementAsync("leads/plan_batch", [], token);
                if (!context.DryRun)
                {
                    await connection.ExecuteStatementAsync("leads/lock_imports", [], token);
                    await staging.BeatAsync(connection, token);
                }

                // Where phone numbers are sealed: rows hold tokens.
                _phones = staging.Seal is null ? [] : await staging.Seal.StagedAsync(connection, staging.ImportId, first, last, token);
                var erased = await RejectErasedAsync(connection, first, last, token);
                var rows = await SealedAsync(connection, apply, first, last, token);
                return rows with { Taken = rows.Taken + erased, Rejected = rows.Rejected + erased };
            });
            counts.Inserted += applied.Inserted;
            counts.Updated += applied.Updated;
            counts.Merged += applied.Merged;
            counts.Unchanged += applied.Taken - applied.Inserted - applied.Updated - applied.Merged - applied.Rejected;
            _taken += applied.Taken;
            context.Advance(applied.Taken);
            first = last + 1;
            if (_matcher.Count > ImportStaging.BatchSize / 2)
            {
                // What lives just as long as a batch outlives two collections and then lies around: 117 MB at the peak instead of 210.
                _matcher.Clear();
                GC.Collect();
            }
        }
    }

    /// <summary>Where phone numbers are sealed, the leads get the values of what they take over.</summary>
    private async Task<Applied> SealedAsync(
        NpgsqlConnection connection, Func<NpgsqlConnection, long, long, CancellationToken, Task<Applied>> apply, long first, long last,
        CancellationToken cancellationToken)
    {
        var applied = await apply(connection, first, last, cancellationToken);
        if (staging.Seal is not null && !context.DryRun)
        {
            await staging.Seal.SaveAsync(connection, _phones, cancellationToken);
        }

        return applied;
    }

    private async Task<Applied> ApplyKnownAsync(NpgsqlConnection connection, long first, long last, CancellationToken cancellationToken)
    {
        var own = await UpdateAsync(connection, first, last, cancellationToken);
        var other = await FillAsync(connection, first, last, cancellationToken);
        return new Applied(own.Taken + other.Taken, 0, own.Changed + other.Changed, 0, 0);
    }

    private async Task<Applied> ApplyNewAsync(NpgsqlConnection connection, long first, long last, CancellationToken cancellationToken)
    {
        var matches = settings.OnDuplicate is "separate" ? [] : await MatchAsync(connection, first, last, cancellationToken);
        var rejected = settings.OnDuplicate is "reject" ? matches.Count : 0;
        long taken, inserted;
        if (context.DryRun)
        {
            taken = inserted = await connection.ExecuteStatementAsync("leads/drop_new", Range(first, last), cancellationToken);
            taken += matches.Count;
        }
        else
        {
            (taken, inserted) = await TakeAsync(
                connection, "leads/insert_new", [.. Range(first, last), ("as_of", context.AsOf), ("source", settings.Source)], cancellationToken);
            if (inserted < taken)
            {
                throw new BatchConflictException();
            }

            taken += rejected;
            if (rejected == 0)
            {
                await AddAliasesAsync(connection, matches, cancellationToken);
            }
        }

        // Leads that others inserted since the first pass, and the rows just found to be known people.
        var own = await UpdateAsync(connection, first, last, cancellationToken);
        var other = await FillAsync(connection, first, last, cancellationToken);
        return new Applied(taken + own.Taken + other.Taken, inserted, own.Changed, matches.Count - rejected, rejected);
    }

    /// <summary>Rows of persons who were erased: told with their place and without what stands there.</summary>
    private async Task<int> RejectErasedAsync(NpgsqlConnection connection, long first, long last, CancellationToken cancellationToken)
    {
        var numbers = _phones.DistinctBy(p => p.Token, StringComparer.Ordinal).ToList();
        var taken = await connection.QueryStatementAsync(
            "leads/take_erased",
            [.. Range(first, last), ("tokens", numbers.ConvertAll(n => n.Token).ToArray()), ("numbers", numbers.ConvertAll(n => n.Text).ToArray())],
            row => (File: row.GetInt32(0), Line: row.GetInt64(1)), cancellationToken);
        foreach (var (file, line) in taken)
        {
            rejects.Add(files[file].Name, line, RowFaults.Erased, "");
        }

        await connection.ExecuteStatementAsync("leads/erased_are_out", [], cancellationToken);
        return taken.Count;
    }

    private async Task<List<PersonMatch>> MatchAsync(NpgsqlConnection connection, long first, long last, CancellationToken cancellationToken)
    {
        var rows = await connection.QueryStatementAsync(
            "leads/new_people",
            Range(first, last),
            row => (Seq: row.GetInt64(0), Keys: new PersonKeys(row.GetString(1), Text(row, 2), Text(row, 3), Text(row, 4), Text(row, 5))),
            cancellationToken);
        if (rows.Count == 0)
        {
            return [];
        }

        _matcher.Clear();
        var emails = rows.Select(row => row.Keys.Email).Where(email => !string.IsNullOrEmpty(email)).Distinct(StringComparer.Ordinal).ToArray();
        var phones = settings.Match is MatchRule.Email ? []
            : rows.Select(row => LeadMatcher.Identifying(row.Keys.Phone)).OfType<string>().Distinct(StringComparer.Ordinal).ToArray();
        if (staging.Seal is not null && phones.Length > 0)
        {
            // Leads that another tool wrote, and that are not sealed yet, have the number itself.
            phones = [.. phones, .. _phones.Select(p => LeadMatcher.Identifying(PhoneDigits.Of(p.Text))).OfType<string>().Distinct(StringComparer.Ordinal)];
        }

        (string, object?)[] keys = [("emails", emails), ("phones", phones)];
        foreach (var person in await PeopleAsync(connection, "leads/known_people", keys, cancellationToken))
        {
            _matcher.Add(person);
        }

        if (context.DryRun)
        {
            foreach (var person in await PeopleAsync(connection, "leads/previewed_people", [ImportId, .. keys], cancellationToken))
            {
                _matcher.Add(person);
            }
        }

        var matches = rows.Select(row => _matcher.Match(row.Seq, row.Keys)).OfType<PersonMatch>().ToList();
        await LinkAsync(connection, matches, cancellationToken);
        return matches;
    }

    private async Task LinkAsync(NpgsqlConnection connection, List<PersonMatch> matches, CancellationToken cancellationToken)
    {
        var seqs = matches.ConvertAll(match => match.Seq).ToArray();
        if (context.DryRun)
        {
            var touched = _matcher.Touched.ToList();
            await connection.ExecuteStatementAsync(
                "leads/remember_people",
                [
                    ImportId, ("seqs", touched.ConvertAll(person => person.Seq).ToArray()),
                    ("ext_ids", Column(touched, keys => keys.ExtId)), ("emails", Column(touched, keys => keys.Email)),
                    ("phones", Column(touched, keys => keys.Phone)), ("first_names", Column(touched, keys => keys.FirstName)),
                    ("last_names", Column(touched, keys => keys.LastName)),
                ],
                cancellationToken);
        }

        if (matches.Count == 0)
        {
            return;
        }

        if (context.DryRun || settings.OnDuplicate is "reject")
        {
            var taken = await connection.QueryStatementAsync(
                "leads/take_rejected", [ImportId, ("seqs", seqs)],
                row => (File: row.GetFieldValue<int?>(0), Line: row.GetFieldValue<long?>(1), Raw: Text(row, 2)), cancellationToken);
            foreach (var (file, line, raw) in taken.Where(_ => settings.OnDuplicate is "reject").OrderBy(row => (row.File, row.Line)))
            {
                rejects.Add(files[file!.Value].Name, line!.Value, RowFaults.Duplicate, staging.Seal?.OpenRecord(staging.ImportId, raw!) ?? raw!);
            }

            return;
        }

        var targets = matches.ConvertAll(match => match.Target).ToArray();
        var linked = matches.ToDictionary(match => match.Alias, match => match.Target, StringComparer.Ordinal);
        _phones = _phones.ConvertAll(p => linked.TryGetValue(p.Lead, out var target) ? p with { Lead = target } : p);
        await connection.ExecuteStatementAsync("leads/link_matches", [ImportId, ("seqs", seqs), ("targets", targets)], cancellationToken);
    }

    private async Task AddAliasesAsync(NpgsqlConnection connection, List<PersonMatch> matches, CancellationToken cancellationToken)
    {
        if (matches.Count > 0)
        {
            await connection.ExecuteStatementAsync(
                "leads/add_aliases",
                [
                    ("aliases", matches.ConvertAll(match => match.Alias).ToArray()), ("targets", matches.ConvertAll(match => match.Target).ToArray()),
                    ("matched_by", matches.ConvertAll(match => match.MatchedBy).ToArray()), ("as_of", context.AsOf),
                ],
                cancellationToken);
        }
    }

    private static string?[] Column(List<(long Seq, PersonKeys Keys)> people, Func<PersonKeys, string?> field) =>
        [.. people.Select(person => field(person.Keys))];

    private Task<List<PersonKeys>> PeopleAsync(
        NpgsqlConnection connection, string statement, (string, object?)[] parameters, CancellationToken cancellationToken) =>
        connection.QueryStatementAsync(
            statement,
            parameters,
            row => new PersonKeys(row.GetString(0), Text(row, 1), staging.Seal is { } seal ? seal.Key(Text(row, 2)) : Text(row, 2), Text(row, 3), Text(row, 4)),
            cancellationToken);

    private static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private (string, object?)[] Range(long first, long last) => [ImportId, ("first", first), ("last", last)];

    private Task<(long Taken, long Changed)> UpdateAsync(NpgsqlConnection connection, long first, long last, CancellationToken cancellationToken) =>
        TakeAsync(connection, context.DryRun ? "leads/preview_existing" : "leads/update_existing", first, last, cancellationToken);

    private Task<(long Taken, long Changed)> FillAsync(NpgsqlConnection connection, long first, long last, CancellationToken cancellationToken) =>
        TakeAsync(connection, context.DryRun ? "leads/preview_fill" : "leads/fill_linked", first, last, cancellationToken,
            ("fill", settings.OnDuplicate is not "keep"));

    private Task<(long Taken, long Changed)> TakeAsync(
        NpgsqlConnection connection, string statement, long first, long last, CancellationToken cancellationToken,
        params (string, object?)[] more) =>
        TakeAsync(
            connection,
            statement,
            [.. Range(first, last), ("erase", _erase), .. more, .. context.DryRun ? [] : new[] { ("as_of", (object?)context.AsOf) }],
            cancellationToken);

    private static async Task<(long Taken, long Changed)> TakeAsync(
        NpgsqlConnection connection, string statement, (string, object?)[] parameters, CancellationToken cancellationToken)
    {
        var rows = await connection.QueryStatementAsync(statement, parameters, row => (row.GetInt64(0), row.GetInt64(1)), cancellationToken);
        return rows[0];
    }

    /// <summary>Every staged row was taken by one batch, and exactly one.</summary>
    private async Task CheckCompleteAsync()
    {
        var left = await staging.BatchAsync((connection, token) => connection.ScalarStatementAsync<long>("leads/staged_left", [ImportId], token));
        if (left > 0)
        {
            throw JobException.Temporary($"{left} rows could not be applied because their leads were deleted meanwhile; the next try goes on");
        }

        if (_taken + counts.Repeated != staging.Count)
        {
            // Unlogged tables are empty after a crash of the server.
            throw JobException.Temporary("The server lost staged rows; the next try imports what is missing");
        }
    }

    /// <param name="Taken">Rows taken from staging.</param>
    /// <param name="Inserted">New leads.</param>
    /// <param name="Updated">Leads that changed, the merged rows' left out.</param>
    /// <param name="Merged">Rows that turned out to be known people.</param>
    /// <param name="Rejected">Rows rejected because of that.</param>
    private readonly record struct Applied(long Taken, long Inserted, long Updated, long Merged, long Rejected);
}
