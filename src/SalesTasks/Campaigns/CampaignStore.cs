using System.Text.Json;
using System.Text.Json.Nodes;
using Npgsql;
using SalesTasks.Database;

namespace SalesTasks.Campaigns;

/// <summary>A row of <c>sales_campaigns</c>, unchecked.</summary>
internal sealed record StoredCampaign(
    long Id,
    string Name,
    string? Description,
    string Type,
    string Criteria,
    string Steps,
    bool Enabled,
    int MaxLeadsPerRun,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt)
{
    /// <summary>The document that makes this row.</summary>
    public JsonObject Document()
    {
        var document = new JsonObject { ["name"] = Name };
        if (Description is not null)
        {
            document["description"] = Description;
        }

        document["campaign_type"] = Type;
        document["enabled"] = Enabled;
        document["max_leads_per_run"] = MaxLeadsPerRun;
        document["trigger_criteria"] = JsonNode.Parse(Criteria);
        document["steps_config"] = JsonNode.Parse(Steps);
        return document;
    }

    /// <summary>What is wrong with it, one line a fault; empty where it can run.</summary>
    public CheckedCampaign Check(SendWindow policy)
    {
        // What the program would never have saved may still be in the table, a type or nesting that the reader's own parser refuses included.
        try
        {
            var (campaign, faults) = CampaignReader.Read(Document(), policy);
            return new CheckedCampaign(this, campaign, faults);
        }
        catch (JsonException)
        {
            return new CheckedCampaign(this, null, ["steps_config or trigger_criteria is nested too deep; allowed: a campaign as campaigns show prints it"]);
        }
    }
}

/// <param name="Stored">The row.</param>
/// <param name="Campaign">What it says; null where it has faults.</param>
/// <param name="Faults">One line each.</param>
internal sealed record CheckedCampaign(StoredCampaign Stored, Campaign? Campaign, IReadOnlyList<string> Faults)
{
    public long Id => Stored.Id;
}

/// <summary>The tables of campaigns.</summary>
internal static class CampaignStore
{
    public static Task<List<StoredCampaign>> ListAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        QueryAsync(connection, "campaigns/campaigns", [("ids", null), ("name", null)], cancellationToken);

    /// <exception cref="JobException">64: there is none of this name; names those there are.</exception>
    public static async Task<StoredCampaign> LoadAsync(NpgsqlConnection connection, string name, CancellationToken cancellationToken)
    {
        if (await FindAsync(connection, name, cancellationToken) is { } found)
        {
            return found;
        }

        var all = await ListAsync(connection, cancellationToken);
        throw JobException.Usage(
            $"campaigns: there is no campaign {Airflow.Quoted.Text(name)}; allowed: "
            + (all.Count > 0 ? string.Join(", ", all.Select(campaign => campaign.Name)) : "none is saved; save one with campaigns import"));
    }

    public static async Task<StoredCampaign?> FindAsync(NpgsqlConnection connection, string name, CancellationToken cancellationToken)
    {
        var found = await QueryAsync(connection, "campaigns/campaigns", [("ids", null), ("name", name)], cancellationToken);
        return found.Count > 0 ? found[0] : null;
    }

    public static Task<List<StoredCampaign>> QueryAsync(
        NpgsqlConnection connection, string statement, (string Name, object? Value)[] parameters, CancellationToken cancellationToken) =>
        connection.QueryStatementAsync(
            statement,
            parameters,
            row => new StoredCampaign(
                row.GetInt64(0), row.GetString(1), row.IsDBNull(2) ? null : row.GetString(2), row.GetString(3), row.GetString(4), row.GetString(5),
                row.GetBoolean(6), row.GetInt32(7), row.GetInstant(8), row.GetInstant(9)),
            cancellationToken);

    /// <summary>The window of the sending policy.</summary>
    public static async Task<SendWindow> PolicyAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var rows = await connection.QueryStatementAsync(
            "campaigns/policy",
            [],
            row => new SendWindow(row.GetFieldValue<int[]>(0), row.GetFieldValue<TimeOnly>(1), row.GetFieldValue<TimeOnly>(2)),
            cancellationToken);
        return rows.Count > 0 ? rows[0] : throw JobException.Refused("The table sending_policy is empty; it needs one row: insert it with INSERT INTO sending_policy DEFAULT VALUES.");
    }
}
