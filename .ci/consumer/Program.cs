using System.Net;
using System.Net.Sockets;
using System.Text;
using KawaOrleans;
using MemoryPack;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

// What a user of the packages does: one silo, one client, append and read back.
var folder = Directory.CreateTempSubdirectory("kawa-consumer-");
int siloPort = FreePort(), gatewayPort = FreePort();

var siloBuilder = Host.CreateApplicationBuilder();
siloBuilder.Logging.SetMinimumLevel(LogLevel.Warning);
siloBuilder.UseOrleans(silo => silo
    .UseLocalhostClustering(siloPort, gatewayPort)
    .AddKawaEventStore(store =>
    {
        store.DataDirectory = Path.Combine(folder.FullName, "data");
        store.ChainStorePath = Path.Combine(folder.FullName, "chains");
        store.NodeName = "node-1";
    }));
using var siloHost = siloBuilder.Build();
await siloHost.StartAsync();

var clientBuilder = Host.CreateApplicationBuilder();
clientBuilder.Logging.SetMinimumLevel(LogLevel.Warning);
clientBuilder.UseOrleansClient(client => client.UseLocalhostClustering(gatewayPort).AddKawaClient());
using var clientHost = clientBuilder.Build();
await clientHost.StartAsync();

var log = clientHost.Services.GetRequiredService<IEventStoreClient>().Log("orders");
var appended = await log.AppendAsync(EventBatch.Encode(
[
    new EventData("order-1", "order-placed", "3 apples"u8.ToArray()),
    new EventData("order-1", "order-paid", "4.20"u8.ToArray()),
]));

await log.AppendAsync("order-1", "order-shipped", new OrderShipped("truck", 2));

var read = new List<string>();
await foreach (var e in log.ReadAsync())
{
    var data = e.Type == "order-shipped" ? $"{e.Decode<OrderShipped>()}" : Encoding.UTF8.GetString(e.Data.Span);
    read.Add($"{e.Position} {e.Stream} {e.Type} {data}");
}

await clientHost.StopAsync();
await siloHost.StopAsync();
folder.Delete(recursive: true);

string[] expected = ["0 order-1 order-placed 3 apples", "1 order-1 order-paid 4.20", "2 order-1 order-shipped OrderShipped { By = truck, Parcels = 2 }"];
var same = appended.First == 0 && read.SequenceEqual(expected);
Console.WriteLine(same ? "The consumer read back what it appended." : $"Read back something else:\n{string.Join('\n', read)}");
return same ? 0 : 1;

static int FreePort()
{
    using var listener = new TcpListener(IPAddress.Loopback, 0);
    listener.Start();
    return ((IPEndPoint)listener.LocalEndpoint).Port;
}

[MemoryPackable]
internal sealed partial record OrderShipped(string By, int Parcels);
