using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace KawaOrleans.Faults.Tests.Silos;

/// <summary>Three silo processes on this machine, and a client of theirs in this process.</summary>
internal sealed class SiloProcesses : IAsyncDisposable
{
    /// <summary>How long a silo may take until it is ready; one that joins waits for its membership first.</summary>
    public static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(120);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("kawa-faults-");
    private readonly List<SiloProcess> _silos = [];
    private IHost? _client;

    /// <summary>The silo that was started first. Without Redis it keeps the membership table: when it dies, the development cluster dies.</summary>
    public SiloProcess First => _silos[0];

    public IReadOnlyList<SiloProcess> All => _silos;

    public IEventStoreClient Client => ClientHost.StoreOf(_client!);

    /// <summary>The grains themselves.</summary>
    public IClusterClient Grains => _client!.Services.GetRequiredService<IClusterClient>();

    /// <summary>Where clients connect.</summary>
    public IEnumerable<IPEndPoint> Gateways => _silos.Select(static silo => new IPEndPoint(IPAddress.Parse(silo.Address), silo.GatewayPort));

    /// <summary>Starts three silos, each at a place of its own if such are given, with chains and membership in a Redis if one is given.</summary>
    public static async Task<SiloProcesses> StartAsync(IReadOnlyList<NetworkPlace>? places = null, string? redis = null)
    {
        var cluster = new SiloProcesses();
        try
        {
            for (var i = 1; i <= 3; i++)
            {
                string[] clustering = redis is not null ? ["--redis", redis] :
                [
                    "--chain-store", Path.Combine(cluster._folder.FullName, "chains"),
                    .. i == 1 ? Array.Empty<string>() : ["--join", $"{cluster.First.Address}:{cluster.First.SiloPort}"],
                ];
                cluster._silos.Add(new SiloProcess(cluster._folder.FullName, $"node-{i}", clustering, places?[i - 1]));
            }

            await cluster.StartSilosAsync();
            await cluster.ConnectAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends all silos at once and starts them anew on the same directories.</summary>
    public async Task KillAndRestartAllAsync()
    {
        await DisconnectAsync();
        await Task.WhenAll(_silos.Select(static silo => silo.KillAsync()));
        await StartSilosAsync();
        await ConnectAsync();
    }

    /// <summary>Does what a supervisor does: a silo that the others declared dead ends itself when it hears of that, and is started again.</summary>
    public Task StartExitedAsync() => Task.WhenAll(_silos.Where(static silo => !silo.IsRunning).Select(static silo => silo.StartAsync(StartLimit, orDegraded: true)));

    /// <summary>Ends all silos at once and starts them anew while clients go on calling.</summary>
    public async Task KillAndRestartSilosAsync()
    {
        await Task.WhenAll(_silos.Select(static silo => silo.KillAsync()));
        await StartSilosAsync(orDegraded: true);
    }

    public async ValueTask DisposeAsync()
    {
        await DisconnectAsync();
        _silos.ForEach(static silo => silo.Dispose());
        _folder.Delete(recursive: true);
    }

    private async Task StartSilosAsync(bool orDegraded = false)
    {
        await First.StartAsync(StartLimit, orDegraded);
        await Task.WhenAll(_silos.Skip(1).Select(silo => silo.StartAsync(StartLimit, orDegraded)));
    }

    private async Task ConnectAsync()
    {
        _client = await ClientHost.StartAsync([.. Gateways]);
    }

    private async Task DisconnectAsync()
    {
        if (_client is not null)
        {
            await _client.StopAsync();
            _client.Dispose();
            _client = null;
        }
    }
}
