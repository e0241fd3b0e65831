using StackExchange.Redis;

namespace KawaOrleans.Silo.Configuration;

/// <summary>Warns at the start of a Redis that may forget what it confirmed. Where its settings may not be asked for, as in clouds, it says nothing.</summary>
internal sealed partial class RedisDurability(string place, ILogger<RedisDurability> logger) : BackgroundService
{
    private static readonly (string Setting, string Needed, string Otherwise)[] Needs =
    [
        ("appendonly", "yes", "a restart of it loses chains"),
        ("appendfsync", "always", "a crash of its machine loses the newest changes of chains"),
        ("maxmemory-policy", "noeviction", "it may drop chains when its memory is full"),
    ];

    /// <summary>What is not as it should be, a sentence each.</summary>
    public static async Task<IReadOnlyList<string>> ProblemsAsync(IServer redis)
    {
        var problems = new List<string>();
        foreach (var (setting, needed, otherwise) in Needs)
        {
            if ((await redis.ConfigGetAsync(setting)) is [{ Value: var found }] && found != needed)
            {
                problems.Add($"{setting} is {found}, not {needed}: {otherwise}");
            }
        }

        return problems;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            var options = RedisPlace.Parse(place);
            options.AllowAdmin = true;
            await using var connection = await ConnectionMultiplexer.ConnectAsync(options).WaitAsync(stoppingToken);
            foreach (var problem in await ProblemsAsync(connection.GetServers()[0]))
            {
                LogProblem(problem);
            }
        }
        catch (Exception e) when (e is RedisException or TimeoutException or OperationCanceledException)
        {
            // Not allowed, or not there: whoever needs it says so.
        }
    }

    [LoggerMessage(1901, LogLevel.Warning, "The Redis with chains and membership is not safe: {Problem}. See docs/OPERATIONS.md, \"Chain store\"")]
    private partial void LogProblem(string problem);
}
