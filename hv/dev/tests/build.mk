# Tests of the device models. DEV_CORE is what every machine needs.

DEV_CORE := hv/dev/machine.c hv/dev/bus.c hv/dev/nmi.c hv/lib/fmt.c

$(eval $(call host_test,dev-machine,hv/dev/tests/test_machine.c $(DEV_CORE),$(HOST_HV)))
$(eval $(call host_test,dev-pci,hv/dev/tests/test_pci.c hv/dev/pci.c hv/dev/i440fx.c hv/dev/piix3.c hv/dev/pic.c $(DEV_CORE),$(HOST_HV)))
$(eval $(call host_test,dev-pic,hv/dev/tests/test_pic.c hv/dev/pic.c $(DEV_CORE),$(HOST_HV)))
$(eval $(call host_test,dev-pit,hv/dev/tests/test_pit.c hv/dev/pit.c hv/dev/pic.c $(DEV_CORE),$(HOST_HV)))
$(eval $(call host_test,dev-rtc,hv/dev/tests/test_rtc.c hv/dev/rtc.c hv/dev/calendar.c hv/dev/pic.c $(DEV_CORE),$(HOST_HV)))
$(eval $(call host_test,dev-nmi,hv/dev/tests/test_nmi.c hv/dev/rtc.c hv/dev/calendar.c hv/dev/pit.c hv/dev/pic.c $(DEV_CORE),$(HOST_HV)))
$(eval $(call host_test,dev-uart,hv/dev/tests/test_uart.c hv/dev/uart.c hv/dev/pic.c $(DEV_CORE),$(HOST_HV)))
$(eval $(call host_test,dev-kbd,hv/dev/tests/test_kbd.c hv/dev/kbd.c hv/dev/ps2.c hv/dev/sysports.c hv/dev/rtc.c hv/dev/calendar.c hv/dev/pic.c $(DEV_CORE),$(HOST_HV)))
$(eval $(call host_test,dev-fw_cfg,hv/dev/tests/test_fw_cfg.c hv/dev/fw_cfg.c $(DEV_CORE),$(HOST_HV)))
$(eval $(call host_test,dev-pm,hv/dev/tests/test_pm.c hv/dev/pm.c hv/dev/dma8237.c hv/dev/pci.c hv/dev/pic.c $(DEV_CORE),$(HOST_HV)))
$(eval $(call host_test,dev-fuzz-board,hv/dev/tests/test_fuzz_board.c hv/dev/pci.c hv/dev/i440fx.c hv/dev/piix3.c hv/dev/pic.c hv/dev/pit.c hv/dev/rtc.c hv/dev/calendar.c hv/dev/uart.c hv/dev/kbd.c hv/dev/ps2.c hv/dev/sysports.c hv/dev/fw_cfg.c hv/dev/pm.c hv/dev/dma8237.c $(DEV_CORE),$(HOST_HV)))

# Disks, CD and display; bound to the PCI bus.
DEV_IDE := hv/dev/ide.c hv/dev/ata.c hv/dev/ata_disk.c hv/dev/ata_identify.c hv/dev/ata_misc.c hv/dev/atapi.c hv/dev/atapi_mmc.c hv/dev/bmdma.c hv/dev/block_mem.c hv/dev/pci.c
DEV_VGA := hv/dev/vga.c hv/dev/vga_mem.c hv/dev/vga_dispi.c hv/dev/vga_screen.c

$(eval $(call host_test,dev-ata,hv/dev/tests/test_ata.c $(DEV_IDE) $(DEV_CORE),$(HOST_HV)))
$(eval $(call host_test,dev-atapi,hv/dev/tests/test_atapi.c $(DEV_IDE) $(DEV_CORE),$(HOST_HV)))
$(eval $(call host_test,dev-vga,hv/dev/tests/test_vga.c $(DEV_VGA) hv/dev/pci.c $(DEV_CORE),$(HOST_HV)))
$(eval $(call host_test,dev-fuzz-media,hv/dev/tests/test_fuzz_media.c $(DEV_IDE) $(DEV_VGA) $(DEV_CORE),$(HOST_HV)))
