using System.CommandLine;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Npgsql;
using SalesTasks.Cli;
using SalesTasks.Database;
using SalesTasks.Encryption;
using Spectre.Console;

namespace SalesTasks.Privacy;

/// <summary>
/// <c>privacy erase</c>: takes a person out of everything, in one transaction, and sees to it that nobody brings the person back. What is
/// counted stays, under an id drawn at random that leads nowhere.
/// </summary>
internal static class ErasePerson
{
    private const string Name = "privacy erase";
    private const int LongestReason = 200;

    /// <summary>Candidates for the new id of a lead; one in twenty falls into the smaller arm of the timing measurement.</summary>
    private const int Candidates = 300;

    public static PeopleCommand Command()
    {
        var who = new Argument<string>("person") { Description = "The lead's ext_id or another id it is known by, or an e-mail address or telephone number" };
        var yes = new Option<bool>("--yes") { Description = "Do it: there is no way back" };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only show what would be done" };
        var reason = new Option<string?>("--reason") { Description = "Why, for the record of requests; nothing personal, 200 characters at most" };
        var command = new PeopleCommand("erase", "Take a person out of everything for good; statistics stay", async (context, stop) =>
        {
            var subject = Subject.Read(Name, context.Parse.GetRequiredValue(who));
            var why = Reason(context.Parse.GetValue(reason));
            var certain = context.Parse.GetValue(yes) && !context.Parse.GetValue(dryRun);
            await using var database = await context.OpenAsync(stop);
            var vault = await context.VaultAsync(database, stop);
            var erasure = await database.InTransactionAsync(
                async (connection, transaction, token) =>
                {
                    // A look at it does everything and takes it back, and so does a second erasure that finds nothing.
                    await transaction.SaveAsync("before", token);
                    var erased = await EraseAsync(connection, subject, why, vault, token);
                    if (!certain || erased.Request == 0)
                    {
                        await transaction.RollbackAsync("before", token);
                    }

                    return erased;
                },
                stop);
            Show(context, erasure, certain);
            if (certain || context.Parse.GetValue(dryRun))
            {
                return ExitCode.Done;
            }

            context.Host.Error.WriteLine("error: " + Name + ": " + context.Text("nothing was done; --yes does it", "no se hizo nada; con --yes se hace"));
            return ExitCode.Usage;
        });
        command.Arguments.Add(who);
        command.Options.Add(yes);
        command.Options.Add(dryRun);
        command.Options.Add(reason);
        return command;
    }

    /// <summary>In a transaction, which the caller ends; <see cref="Erased.Request"/> 0: nothing was left to erase, and it is to be taken back.</summary>
    public static async Task<Erased> EraseAsync(
        NpgsqlConnection connection, Subject subject, string? reason, Vault? vault, CancellationToken cancellationToken)
    {
        await connection.ExecuteStatementAsync("database/set_actor", [("actor", Environment.UserName)], cancellationToken);
        var already = await connection.ScalarStatementAsync<DateTime?>("privacy/buried", subject.Parameters, cancellationToken);
        // A quick look first, so that an id of nobody costs no lock.
        await Person.FindAsync(connection, Name, subject, already is not null, vault, cancellationToken);
        await connection.ExecuteStatementAsync("privacy/lock_imports", [], cancellationToken);
        var person = await Person.FindAsync(connection, Name, subject, mayBeNobody: true, vault, cancellationToken);
        foreach (var statement in (string[])["lock_sending", "lock_leads", "lock_messages", "lock_executions", "lock_deals"])
        {
            await PrivacyStore.ExecuteAsync(connection, "privacy/" + statement, person.Parameters, cancellationToken);
        }

        person = await person.AgainAsync(connection, Name, cancellationToken);
        RequireSilent(reason, person);
        foreach (var lead in person.ExtIds)
        {
            await AuditLog.RecordReadAsync(connection, Name, lead, cancellationToken);
        }

        await PrivacyStore.EnsureSecretAsync(connection, cancellationToken);
        var request = await PrivacyStore.RequestAsync(connection, "erase", person.Subject, reason, person.Leads.Count, cancellationToken);
        (string Name, object? Value)[] values =
        [
            .. person.Parameters, ("request_id", request), ("new_ids", await NewIdsAsync(connection, person, cancellationToken)),
            ("links", (await PrivacyStore.QueryAsync<long>(connection, "privacy/links", person.Parameters, cancellationToken)).ToArray()),
        ];
        var onTheWire = (await PrivacyStore.QueryAsync<long>(connection, "privacy/message_states", values, cancellationToken))[0];
        var counts = new List<(string Name, long Count)>();
        foreach (var table in PersonalData.Tables)
        {
            long rows = table.Name is "stored_files" ? await EraseFilesAsync(connection, values, cancellationToken) : 0;
            foreach (var statement in table.Erases)
            {
                rows += await PrivacyStore.ExecuteAsync(connection, "privacy/erase/" + statement, values, cancellationToken);
            }

            counts.Add((table.Name, rows));
        }

        var buried = await BuryAsync(connection, person, request, vault, cancellationToken);
        counts.Add(("privacy_tombstones", buried));
        if (counts.TrueForAll(c => c.Count == 0))
        {
            return new Erased(0, [], person.Others, [], 0, already, await Elsewhere.PlacesAsync(connection, cancellationToken));
        }

        await connection.ExecuteStatementAsync(
            "privacy/request_done", [("id", request), ("count", person.Leads.Count), ("counts", ExportPerson.Counts(counts))], cancellationToken);
        return new Erased(
            request, person.ExtIds, person.Others, counts, onTheWire, null, await Elsewhere.PlacesAsync(connection, cancellationToken));
    }

    private static async Task<string[]> NewIdsAsync(NpgsqlConnection connection, Person person, CancellationToken cancellationToken)
    {
        var candidates = Enumerable.Range(0, Candidates * person.Leads.Count).Select(_ => "erased-" + RandomNumberGenerator.GetHexString(32, lowercase: true)).ToArray();
        var ids = person.Leads.Count == 0
            ? []
            : await connection.QueryStatementAsync(
                "privacy/new_ids", [("leads", person.ExtIds), ("candidates", candidates)], row => (Old: row.GetString(0), New: row.GetString(1)), cancellationToken);
        return [.. person.ExtIds.Select(id => ids.First(i => i.Old == id).New)];
    }

    private static async Task<long> EraseFilesAsync(NpgsqlConnection connection, (string, object?)[] values, CancellationToken cancellationToken)
    {
        var files = await PrivacyStore.QueryAsync<byte[]>(connection, "privacy/files", values, cancellationToken);
        if (files.Count == 0)
        {
            return 0;
        }

        (string, object?)[] found = [("files", files.ToArray())];
        await connection.ExecuteStatementAsync("privacy/cancel_attached", found, cancellationToken);
        await connection.ExecuteStatementAsync("privacy/delete_reports", found, cancellationToken);
        return await connection.ExecuteStatementAsync("privacy/delete_files", found, cancellationToken);
    }

    /// <summary>Tombstones and suppressions; a number that others have as well tells nobody and is left alone.</summary>
    private static async Task<int> BuryAsync(NpgsqlConnection connection, Person person, long request, Vault? vault, CancellationToken cancellationToken)
    {
        var keys = person.Phones.SelectMany(p => Person.Keys([p], vault).Select(key => (Phone: p, Key: key))).ToList();
        var shared = await PrivacyStore.QueryAsync<string>(
            connection, "privacy/held_phones",
            [("phones", keys.ConvertAll(k => k.Phone).ToArray()), ("keys", keys.ConvertAll(k => k.Key).ToArray()), ("leads", person.ExtIds)], cancellationToken);
        var own = person.Phones.Except(shared, StringComparer.Ordinal).ToArray();
        (string, object?)[] values =
        [
            // Also as tokens have them: rows that come with a token, from an export of this database, are known too.
            ("ext_ids", person.Ids), ("emails", person.Emails), ("phones", own), ("numbers", own.Concat(Person.Keys(own, vault)).ToArray()),
            ("request_id", request),
        ];
        await PrivacyStore.ExecuteAsync(connection, "privacy/suppress", values, cancellationToken);
        if (vault is not null)
        {
            await vault.SyncSuppressionsAsync(connection, own, cancellationToken);
        }

        return await PrivacyStore.ExecuteAsync(connection, "privacy/bury", values, cancellationToken);
    }

    private static string? Reason(string? reason) => reason?.Trim() switch
    {
        null or "" => null,
        { Length: > LongestReason } => throw JobException.Usage($"{Name}: --reason is too long; allowed: {LongestReason} characters"),
        var text => text,
    };

    /// <summary>The record of requests outlives the person: nothing of it may stand there.</summary>
    private static void RequireSilent(string? reason, Person person)
    {
        var names = person.Leads.SelectMany(l => l.FirstNames.Concat(l.LastNames)).Where(n => n.Length > 1);
        if (reason is not null && person.Words.Concat(names).Any(w => Regex.IsMatch(
            reason, $@"(?<!\w){Regex.Escape(w)}(?!\w)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1))))
        {
            throw JobException.Usage($"{Name}: --reason names the person; allowed: a text that says nothing about who it is, such as a ticket's number");
        }
    }

    private static void Show(PeopleContext context, Erased erased, bool done)
    {
        if (context.Json)
        {
            context.WriteJson(new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["done"] = done,
                ["already_erased_at"] = erased.AlreadyAt,
                ["request"] = done && erased.Request > 0 ? erased.Request : null,
                ["leads"] = erased.Leads.Count,
                ["not_included"] = erased.Others.Cast<object?>().ToList(),
                ["on_the_wire"] = erased.OnTheWire,
                ["rows"] = erased.Counts.Where(c => c.Count > 0).ToDictionary(c => c.Name, object? (c) => c.Count, StringComparer.Ordinal),
                ["elsewhere"] = erased.Elsewhere.Select(object? (p) => p.English).ToList(),
            });
            return;
        }

        if (erased.Counts.Count == 0)
        {
            context.Host.Out.WriteLine(erased.AlreadyAt is { } at
                ? context.Text($"Erased on {at:yyyy-MM-dd} already; nothing is left.", $"Ya se borró el {at:yyyy-MM-dd}; no queda nada.")
                : context.Text("Nothing is stored.", "No hay nada guardado."));
            return;
        }

        if (!done)
        {
            // Only a look at it may name the leads: what was erased is not shown any more.
            context.Host.Out.WriteLine($"Leads: {string.Join(", ", erased.Leads)}");
        }

        var table = new Table().AddColumns(
            context.Text("Table", "Tabla"), done ? context.Text("Rows erased or made anonymous", "Filas borradas o anonimizadas") : context.Text("Rows to erase or make anonymous", "Filas por borrar o anonimizar"));
        foreach (var (name, count) in erased.Counts.Where(c => c.Count > 0))
        {
            table.AddRow(name, count.ToString(context.Numbers));
        }

        context.Console.Write(table);
        if (erased.Others.Count > 0)
        {
            context.Host.Out.WriteLine(context.Text("Share a number, have other names, and are left alone: ", "Comparten un número, tienen otros nombres y quedan como están: ")
                + string.Join(", ", erased.Others));
        }

        if (erased.OnTheWire > 0)
        {
            context.Host.Out.WriteLine(
                $"{erased.OnTheWire} {context.Words(erased.OnTheWire, "message is on the wire at this moment and may arrive.|messages are on the wire at this moment and may arrive.", "mensaje está saliendo en este momento y puede llegar.|mensajes están saliendo en este momento y pueden llegar.")}");
        }

        if (done)
        {
            context.Host.Out.WriteLine(context.Text(
                $"Request {erased.Request}. What the CRM has is erased by the next crm push: privacy show {erased.Request}.",
                $"Solicitud {erased.Request}. Lo que tenga el CRM lo borra el próximo crm push: privacy show {erased.Request}."));
        }

        Elsewhere.Show(context, erased.Elsewhere);
    }
}

/// <summary>What an erasure did.</summary>
/// <param name="Request">Its number; 0: there was nothing to do.</param>
/// <param name="Leads">ext_ids as they were.</param>
/// <param name="Others">Leads that share a number and are somebody else.</param>
/// <param name="Counts">Rows by table.</param>
/// <param name="OnTheWire">Messages that were being sent.</param>
/// <param name="AlreadyAt">When the person was erased before, where nothing was left.</param>
/// <param name="Elsewhere">What it does not reach.</param>
internal sealed record Erased(
    long Request, IReadOnlyList<string> Leads, IReadOnlyList<string> Others, IReadOnlyList<(string Name, long Count)> Counts, long OnTheWire, DateTime? AlreadyAt,
    IReadOnlyList<(string English, string Spanish)> Elsewhere);
