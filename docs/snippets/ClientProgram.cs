// snippet: client-program
using KawaOrleans;
using MemoryPack;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
// end snippet

namespace KawaOrleans.Snippets;

internal static class ClientProgram
{
    public static async Task Run(string[] args)
    {
        // snippet: client-program
        var builder = Host.CreateApplicationBuilder(args);
        builder.UseOrleansClient(client => client
            .UseLocalhostClustering(serviceId: "kawa", clusterId: "kawa")
            .AddKawaClient());
        using var host = builder.Build();
        await host.StartAsync();

        var log = host.Services.GetRequiredService<IEventStoreClient>().Log("orders");
        await log.AppendAsync(new EventData("order-17", "OrderPlaced", """{"total":42}"""u8.ToArray()));
        await log.AppendAsync("order-17", "OrderPaid", new OrderPaid(42m, "EUR"));

        await foreach (var e in log.ReadAsync())
        {
            Console.WriteLine($"{e.Position}: {e.Stream} {e.Type} {(e.Type == "OrderPaid" ? e.Decode<OrderPaid>() : null)}");
        }
        // end snippet
    }
}

// snippet: client-program
[MemoryPackable]
internal sealed partial record OrderPaid(decimal Amount, string Currency);
// end snippet
