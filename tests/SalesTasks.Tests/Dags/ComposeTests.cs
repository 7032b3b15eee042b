using System.Text.RegularExpressions;
using SalesTasks.Tests.Repository;
using SalesTasks.Tests.TestBase;
using YamlDotNet.RepresentationModel;

namespace SalesTasks.Tests.Dags;

/// <summary>docker-compose.airflow.yml, read as Compose reads it: anchors, merge keys, variables.</summary>
public sealed partial class ComposeTests
{
    private static readonly string[] s_lasting = ["postgres", "mail", "docker-socket-proxy", "airflow-webserver", "airflow-scheduler", "airflow-triggerer"];
    private static readonly string[] s_once = ["sales-database", "sales-migrate", "sales-sample", "sales-files", "airflow-init"];

    private static readonly Lazy<YamlMappingNode> s_file = new(Load);

    private static YamlMappingNode Services => Map(s_file.Value, "services");

    [Fact]
    public void Services_All_AreThoseThatTheSetupNeeds() => Assert.Equal(
        s_lasting.Concat(s_once).Append("airflow-cli").Order(StringComparer.Ordinal), Keys(Services).Order(StringComparer.Ordinal));

    [Fact]
    public void LastingServices_EachOne_IsWatchedAndRestarted() => Assert.All(s_lasting, name =>
    {
        var service = Map(Services, name);
        Assert.NotEmpty(Sequence(Map(service, "healthcheck"), "test"));
        Assert.Equal("always", Text(service, "restart"));
    });

    [Fact]
    public void Health_OfAirflow_IsAskedWhereAirflowTellsIt()
    {
        Assert.Contains("http://localhost:8080/health", Sequence(Map(Map(Services, "airflow-webserver"), "healthcheck"), "test"));
        Assert.Contains("http://localhost:8974/health", Sequence(Map(Map(Services, "airflow-scheduler"), "healthcheck"), "test"));
        Assert.Equal("true", Text(Map(Map(Services, "airflow-scheduler"), "environment"), "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK"));
    }

    [Fact]
    public void Images_All_ArePinnedToAVersion() => Assert.All(Services.Children.Values, service =>
        Assert.Matches(@"^(\$\{[A-Z_]+:-)?[a-z][a-z/-]*:v?\d+\.\d+[a-z0-9.-]*\}?$", Text((YamlMappingNode)service, "image")));

    [Theory]
    [InlineData("sales-migrate", "db", "migrate")]
    [InlineData("sales-sample", "db", "sample")]
    public void ProgramServices_EachOne_BuildFromThisCheckoutAndRunWithoutRights(string name, params string[] command)
    {
        var service = Map(Services, name);

        Assert.Equal(".", Text(Map(service, "build"), "context"));
        Assert.Equal("build", Text(service, "pull_policy"));
        Assert.Equal(command, Sequence(service, "command"));
        Assert.Equal("true", Text(service, "read_only"));
        Assert.Equal(["ALL"], Sequence(service, "cap_drop"));
        // What is built is what Airflow starts.
        Assert.Equal(Text(Map(Map(Services, "airflow-scheduler"), "environment"), "SALES_IMAGE"), Text(service, "image"));
    }

    [Fact]
    public void DockerApi_Always_IsReachedByTheSchedulerOnly()
    {
        var onNetwork = Keys(Services).Where(name => Sequence(Map(Services, name), "networks").Contains("docker-api"));
        var withSocket = Keys(Services).Where(name =>
            Sequence(Map(Services, name), "volumes").Any(volume => volume.Contains("docker.sock", StringComparison.Ordinal)));

        Assert.Equal(["docker-socket-proxy", "airflow-scheduler"], onNetwork);
        Assert.Equal(["docker-socket-proxy"], withSocket);
        Assert.Equal("true", Text(Map(Map(s_file.Value, "networks"), "docker-api"), "internal"));
        Assert.Equal(["docker-api"], Sequence(Map(Services, "docker-socket-proxy"), "networks"));
        Assert.False(Map(Services, "docker-socket-proxy").Children.ContainsKey("ports"));
    }

    [Fact]
    public void Jobs_AsAirflowStartsThem_FindNetworkVolumeAndHosts()
    {
        var environment = Map(Map(Services, "airflow-scheduler"), "environment");

        Assert.Equal(Text(Map(Map(s_file.Value, "networks"), "jobs"), "name"), Text(environment, "SALES_DOCKER_NETWORK"));
        Assert.Equal(Text(Map(Map(s_file.Value, "volumes"), "leads"), "name"), Text(environment, "SALES_LEADS_VOLUME"));
        Assert.Equal(Text(Map(Map(s_file.Value, "volumes"), "backups"), "name"), Text(environment, "SALES_BACKUP_VOLUME"));
        Assert.Equal("tcp://docker-socket-proxy:2375", Text(environment, "SALES_DOCKER_URL"));
        // Each connection's host is a service on the jobs' network.
        var connections = Json.Parse(File.ReadAllText($"{Checkout.Root}/examples/airflow/connections.json"));
        Assert.All(connections.EnumerateObject(), connection =>
            Assert.Contains("jobs", Sequence(Map(Services, connection.Value.GetProperty("host").GetString()!), "networks")));
        Assert.Equal(
            connections.EnumerateObject().Select(connection => connection.Name),
            [Text(environment, "SALES_POSTGRES_CONN_ID"), Text(environment, "SALES_EMAIL_CONN_ID")]);
    }

    [Fact]
    public void Jobs_Network_LeadsToNothingOfAirflows() => Assert.All(
        Keys(Services).Where(name => name.StartsWith("airflow-", StringComparison.Ordinal)),
        name => Assert.DoesNotContain("jobs", Sequence(Map(Services, name), "networks")));

    [Fact]
    public void Scheduler_Always_WaitsForAllThatJobsNeed()
    {
        var needs = Map(Map(Services, "airflow-scheduler"), "depends_on");

        Assert.Equal(
            ["airflow-init", "docker-socket-proxy", "mail", "postgres", "sales-files", "sales-sample"],
            Keys(needs).Order(StringComparer.Ordinal));
        Assert.All(s_once.Intersect(Keys(needs)), name => Assert.Equal("service_completed_successfully", Text(Map(needs, name), "condition")));
        Assert.All(s_lasting.Intersect(Keys(needs)), name => Assert.Equal("service_healthy", Text(Map(needs, name), "condition")));
    }

    [Fact]
    public void Init_Always_MakesConnectionsAndPools()
    {
        var init = Map(Services, "airflow-init");
        var command = string.Join('\n', Sequence(init, "command"));

        Assert.Contains("airflow connections import /opt/airflow/connections.json", command);
        Assert.Contains("airflow pools import /opt/airflow/dags/pools.json", command);
        Assert.Equal(("true", "true"), (Text(Map(init, "environment"), "_AIRFLOW_DB_MIGRATE"), Text(Map(init, "environment"), "_AIRFLOW_DB_UPGRADE")));
    }

    [Fact]
    public void Ports_All_AreOpenToThisMachineOnly()
    {
        var ports = Keys(Services).SelectMany(name => Sequence(Map(Services, name), "ports")).ToList();

        Assert.Equal(3, ports.Count);
        Assert.All(ports, port => Assert.StartsWith("127.0.0.1:", port, StringComparison.Ordinal));
    }

    [Fact]
    public void Volumes_EachOne_ExistsInTheCheckoutOrIsDeclaredAndUsed()
    {
        var sources = Keys(Services).SelectMany(name => Sequence(Map(Services, name), "volumes")).Select(volume => volume.Split(':')[0]).ToHashSet();

        Assert.All(sources.Where(source => source.StartsWith('.')), source => Assert.True(Path.Exists($"{Checkout.Root}/{source}"), source));
        Assert.Equal(
            Keys(Map(s_file.Value, "volumes")).Order(StringComparer.Ordinal),
            sources.Where(source => source[0] is not ('.' or '/')).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Variables_All_HaveADefaultAndAreInTheExample()
    {
        var text = File.ReadAllText($"{Checkout.Root}/docker-compose.airflow.yml");
        var used = Variable().Matches(text).Select(match => match.Groups["name"].Value).ToHashSet(StringComparer.Ordinal);
        var example = ExampleLine().Matches(File.ReadAllText($"{Checkout.Root}/.env.example"));

        // Compose sets this one by itself, from the file's name.
        Assert.True(used.Remove("COMPOSE_PROJECT_NAME"));
        Assert.Equal("sales-tasks", Text(s_file.Value, "name"));
        Assert.Equal(used.Order(StringComparer.Ordinal), example.Select(match => match.Groups["name"].Value).Order(StringComparer.Ordinal));
        Assert.All(Variable().Matches(text).Where(match => match.Groups["name"].Value != "COMPOSE_PROJECT_NAME"), match =>
            Assert.True(match.Groups["default"].Success, $"{match.Value} has no default: something would have to be edited."));
        // The example tells the defaults.
        Assert.All(example.Where(match => match.Groups["value"].Value.Length > 0 && !match.Groups["name"].Value.EndsWith("_CONN_ID", StringComparison.Ordinal)), match =>
            Assert.Contains($"${{{match.Groups["name"].Value}:-{match.Groups["value"].Value}}}", text));
    }

    private static YamlMappingNode Load()
    {
        using var reader = File.OpenText($"{Checkout.Root}/docker-compose.airflow.yml");
        var stream = new YamlStream();
        stream.Load(reader);
        return (YamlMappingNode)Merged(stream.Documents.Single().RootNode);
    }

    /// <summary>The tree with merge keys (&lt;&lt;) resolved: a key of the mapping itself wins.</summary>
    private static YamlNode Merged(YamlNode node)
    {
        if (node is YamlSequenceNode sequence)
        {
            return new YamlSequenceNode(sequence.Select(Merged));
        }

        if (node is not YamlMappingNode mapping)
        {
            return node;
        }

        var merged = new YamlMappingNode();
        foreach (var (key, value) in mapping.Children.OrderBy(child => child.Key is YamlScalarNode { Value: "<<" } ? 0 : 1))
        {
            if (key is YamlScalarNode { Value: "<<" })
            {
                foreach (var (inheritedKey, inherited) in ((YamlMappingNode)Merged(value)).Children)
                {
                    merged.Children[inheritedKey] = inherited;
                }
            }
            else
            {
                merged.Children[key] = Merged(value);
            }
        }

        return merged;
    }

    private static YamlMappingNode Map(YamlMappingNode node, string key) => (YamlMappingNode)node.Children[key];

    private static string? Text(YamlMappingNode node, string key) => ((YamlScalarNode)node.Children[key]).Value;

    private static IReadOnlyList<string> Keys(YamlMappingNode node) => [.. node.Children.Keys.Select(key => ((YamlScalarNode)key).Value!)];

    private static IReadOnlyList<string> Sequence(YamlMappingNode node, string key) =>
        node.Children.TryGetValue(key, out var value) ? [.. ((YamlSequenceNode)value).Select(item => ((YamlScalarNode)item).Value!)] : [];

    [GeneratedRegex(@"(?<!\$)\$\{(?<name>[A-Z_]+)(?<default>:-[^}]*)?\}", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Variable();

    [GeneratedRegex(@"^#(?<name>[A-Z_]+)=(?<value>.*)$", RegexOptions.Multiline | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex ExampleLine();
}
