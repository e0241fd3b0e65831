using System.Diagnostics;
using System.Net;
using KawaOrleans.Benchmarks.Measuring;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;

namespace KawaOrleans.Benchmarks.Cluster.Silos;

/// <summary>Silo processes on this machine, and a client of theirs in this process.</summary>
internal class SiloCluster : IDisposable
{
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(30);

    private readonly string _folder;
    private readonly List<SiloProcess> _silos = [];
    private readonly bool _isPatient;
    private readonly bool _kawaTransport;
    private IHost? _client;

    /// <param name="run">The run it belongs to.</param>
    /// <param name="silos">How many.</param>
    /// <param name="isPatient">True for a client that loads in bulk: it bears a disk that is busy for seconds with what it was given.</param>
    public SiloCluster(Run run, int silos, bool isPatient = false)
    {
        _isPatient = isPatient;
        _kawaTransport = run.KawaTransport;
        _folder = run.Scratch.Folder($"cluster-{silos}");
        try
        {
            for (var n = 1; n <= silos; n++)
            {
                _silos.Add(new SiloProcess(_folder, $"node-{n}", _silos.FirstOrDefault(), _kawaTransport));
                _silos[^1].Start();
            }

            Connect();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public IReadOnlyList<SiloProcess> Silos => _silos;

    public IEventStoreClient Client => _client!.Services.GetRequiredService<IEventStoreClient>();

    public IClusterClient Grains => _client!.Services.GetRequiredService<IClusterClient>();

    /// <summary>Connects a new client, which knows nothing yet.</summary>
    public void Connect()
    {
        Disconnect();
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.UseOrleansClient(client =>
        {
            client.UseStaticClustering([.. _silos.Select(silo => new IPEndPoint(IPAddress.Loopback, silo.GatewayPort))])
                .Configure<ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = ("kawa", "kawa"))
                .AddKawaClient(options =>
                {
                    if (_isPatient)
                    {
                        (options.NodeSilence, options.RetryFor) = (TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(30));
                    }
                });
            if (_kawaTransport)
            {
                client.Services.UseKawaTransport();
            }
        });
        _client = builder.Build();
        Wait.For(() => _client.StartAsync());
    }

    /// <summary>A new log, also while the cluster is still settling.</summary>
    public ILog NewLog(string name, LogOptions? options = null)
    {
        for (var waited = Stopwatch.StartNew(); ;)
        {
            try
            {
                return Wait.For(() => Client.CreateLogAsync($"{name}-{Guid.NewGuid():N}", options));
            }
            catch (KawaException) when (waited.Elapsed < ConnectLimit)
            {
                Thread.Sleep(TimeSpan.FromMilliseconds(50));
            }
        }
    }

    public void Dispose()
    {
        Disconnect();
        _silos.ForEach(silo => silo.Dispose());
        Scratch.Remove(_folder);
        GC.SuppressFinalize(this);
    }

    private void Disconnect()
    {
        if (_client is { } client)
        {
            // Silos that were killed do not answer a goodbye: nobody waits for one.
            Wait.For(() => client.StopAsync(new CancellationToken(canceled: true)));
            client.Dispose();
            _client = null;
        }
    }
}

