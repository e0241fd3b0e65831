using KawaOrleans.Benchmarks.Measuring;

namespace KawaOrleans.Benchmarks.Servers;

/// <summary>All servers that can be run here, running side by side; those that are not asked anything cost the others nothing.</summary>
internal sealed class RunningServers : IDisposable
{
    private readonly List<EventServer> _servers = [];

    private RunningServers(Run run)
    {
        try
        {
            _servers.Add(new KawaServer(run));
            if (RedisServer.Presence.Program is not null)
            {
                _servers.Add(new RedisServer(run, "always"));
                _servers.Add(new RedisServer(run, "everysec"));
            }

            if (PostgresServer.Presence.Program is not null)
            {
                _servers.Add(new PostgresServer(run));
            }

            if (NatsServer.Presence.Program is not null)
            {
                _servers.Add(new NatsServer(run));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public IReadOnlyList<EventServer> All => _servers;

    public EventServer Ours => _servers[0];

    /// <summary>The others that have an event on disk before they acknowledge it, as ours does.</summary>
    public IEnumerable<EventServer> InOurClass => _servers.Skip(1).Where(s => s.SyncsFirst);

    public static RunningServers Of(Run run) => run.Fixtures.Get(() => new RunningServers(run));

    public void Dispose() => _servers.ForEach(s => s.Dispose());
}
